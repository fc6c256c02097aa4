import type { DeadLetter } from "#lib/agents/dlq/dead-letter-queue.ts";
import type { ErrorCode } from "#lib/platform/errors/codes.ts";
import { isReopened, type Ledger } from "#lib/work/tasks/task-store.ts";
import { comesAfter } from "#lib/work/tasks/walk-order.ts";
import type { Envelope } from "#schemas/messages/envelope.ts";
import type { DeliveryRecord } from "#schemas/records/delivery.ts";
import type { StepRecord } from "#schemas/records/step.ts";

/**
 * The next action of a replay: one write to the step (`rearm`) or to the task (`reopen`), or sending
 * the message, or removing it from the DLQ without sending it (`remove`), or no action (`keep`).
 */
export interface ReplayPlan {
  kind: "rearm" | "reopen" | "send" | "remove" | "keep";
  reason: ErrorCode;
  sentence: string;
}

export type ReplayedLetter = Pick<DeadLetter, "service" | "envelope" | "failure_id">;

const ORCHESTRATOR = "orchestrator";
const REPLAYS_MAX = 100;

/**
 * Plans the next action of a replay from the dead letter and its task's ledger alone. A replay does one
 * write, then plans again, so it can be stopped at any point and repeated.
 */
export function planReplay(letter: ReplayedLetter, ledger: Ledger | undefined, now_ms: number): ReplayPlan {
  const { envelope, service } = letter;
  if (envelope?.service !== service) return unreadable(service);
  if (!ledger) return keep("TASK_UNKNOWN", `there is no task ${envelope.task_id}; discard it`);
  const { task, steps } = ledger;
  if (service === ORCHESTRATOR) return send("the orchestrator looks at the task again");
  if (task.status === "canceled" || task.cancel_requested_at) {
    return remove(
      "TASK_CANCELED",
      "its task was canceled and stays canceled; the message is only removed from the DLQ",
    );
  }
  const record = steps.find(({ step, round }) => step === envelope.step && round === envelope.round);
  if (!record) return planUnclaimed(envelope, ledger);
  // An input that the replay of this very failure gave the step is its own.
  const is_own = record.replays?.some(({ failure_id }) => failure_id === letter.failure_id);
  if (record.source_hash !== envelope.source_hash && !is_own) {
    return keep(
      "OTHER_INPUT",
      "the step was claimed for another input, so it would be refused again; discard it",
    );
  }
  return planStep(letter, ledger, record, now_ms);
}

function planUnclaimed({ step, round }: Envelope, { task }: Ledger): ReplayPlan {
  const dispatched = [task.current, task.beside].some((one) => one?.step === step && one.round === round);
  const due = !task.ended_at && dispatched;
  if (due) return send("no worker has claimed the step yet");
  return keep("STEP_NOT_DUE", `its task is not at step ${step} round ${round}; discard it`);
}

function planStep(letter: ReplayedLetter, ledger: Ledger, record: StepRecord, now_ms: number): ReplayPlan {
  const { step, round, status, outcome, replays = [] } = record;
  const replay_count = replays.length;
  if (replay_count > 0 && !isReopened(ledger.task, { step, round, replay_count })) {
    return { kind: "reopen", reason: "TASK_REOPENED", sentence: "its task is opened again at this step" };
  }
  const replayed = replays.findLastIndex(({ failure_id }) => failure_id === letter.failure_id);
  if (replayed >= 0) {
    const waits = replayed === replay_count - 1 && status === "waiting";
    if (waits) return send("its step was made ready for it");
    return remove("REPLAYED_ALREADY", "it was replayed; the message is only removed from the DLQ");
  }
  if (status === "completed" && !outcome?.dead_letter) {
    const sentence = `the step has ended since (${outcome?.verdict}); the message is only removed from the DLQ`;
    return remove("STEP_ENDED_SINCE", sentence);
  }
  if (status === "completed" || status === "canceled") return planRearming(ledger, record);
  if (status === "running" && record.lease_expires_at >= now_ms) {
    return inProgress("step");
  }
  return send("the step waits for a worker");
}

/**
 * Re-arms a step only when its task is sealed, because no other process changes a sealed task, and only when the
 * step is the task's last one, because the input of later steps must not change.
 */
function planRearming({ task, steps }: Ledger, record: StepRecord): ReplayPlan {
  if (!task.sealed_at) {
    return keep("TASK_NOT_ENDED", "its task has not ended yet; replay it again when the task has ended");
  }
  const later = steps.find((other) => comesAfter(task.definition, other, record));
  if (later) {
    const sentence = `the task has continued with ${later.step} round ${later.round}; submit the task again and discard this failure`;
    return keep("STEP_SUPERSEDED", sentence);
  }
  if ((task.reopenings ?? []).length >= REPLAYS_MAX) {
    return keep(
      "REPLAYS_SPENT",
      `its task was replayed ${REPLAYS_MAX} times, which is the limit; submit the task again and discard this failure`,
    );
  }
  const sentence = `step ${record.step} round ${record.round} starts again and its task continues from there`;
  return { kind: "rearm", reason: "STEP_REARMED", sentence };
}

function send(sentence: string): ReplayPlan {
  return { kind: "send", reason: "MESSAGE_SENT", sentence: `the message is sent again: ${sentence}` };
}

function remove(reason: ErrorCode, sentence: string): ReplayPlan {
  return { kind: "remove", reason, sentence };
}

function unreadable(service: string): ReplayPlan {
  return keep("MESSAGE_UNREADABLE", `it is not a message for ${service} and would fail again; discard it`);
}

function inProgress(what: "step" | "delivery"): ReplayPlan {
  return keep("STEP_IN_PROGRESS", `a worker is running the ${what}; replay it again if the ${what} fails`);
}

function keep(reason: ErrorCode, sentence: string): ReplayPlan {
  return { kind: "keep", reason, sentence };
}

/** Plans the replay of a dead webhook delivery. Its task has ended and is left alone. */
export function planRedelivery(
  { envelope, service, failure_id }: ReplayedLetter,
  record: DeliveryRecord | undefined,
  now_ms: number,
): ReplayPlan {
  if (envelope?.service !== service) return unreadable(service);
  if (!record) {
    return keep(
      "DELIVERY_UNKNOWN",
      "there is no such delivery, or it was deleted after its time; discard it",
    );
  }
  const { status, outcome, replays = [], lease_expires_at } = record;
  const replayed = replays.findLastIndex((replay) => replay.failure_id === failure_id);
  if (replayed >= 0 && !(replayed === replays.length - 1 && status === "waiting")) {
    return remove("REPLAYED_ALREADY", "it was replayed; the message is only removed from the DLQ");
  }
  if (status === "completed") {
    if (outcome?.dead_letter) {
      return { kind: "rearm", reason: "DELIVERY_REARMED", sentence: "the event is delivered again" };
    }
    const sentence = `the delivery has ended since (${outcome?.verdict}); the message is only removed from the DLQ`;
    return remove("DELIVERY_ENDED_SINCE", sentence);
  }
  if (status === "running" && lease_expires_at >= now_ms) return inProgress("delivery");
  return send("the delivery waits for a worker");
}
