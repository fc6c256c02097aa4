import type { DeadLetterCase } from "#lib/agents/dlq/dead-letter-case.ts";
import type { DeadLetter, ReplayPorts } from "#lib/agents/dlq/dead-letter-queue.ts";
import type { ErrorCode } from "#lib/platform/errors/codes.ts";
import { isReopened, type Ledger, readLedger } from "#lib/work/tasks/task-store.ts";
import { comesAfter } from "#lib/work/tasks/walk-order.ts";
import type { Envelope } from "#schemas/messages/envelope.ts";
import type { DeliveryRecord } from "#schemas/records/delivery.ts";
import type { StepRecord } from "#schemas/records/step.ts";
import type { TaskRecord } from "#schemas/records/task.ts";

/**
 * The next thing a replay does: one write to the step (`rearm`) or the task (`reopen`), or sending
 * the message, or only taking it out of the DLQ (`remove`), or nothing (`keep`).
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
 * What replaying a dead letter means now, from the letter and its task's ledger alone. A replay
 * follows it one write at a time and asks again, so it may be stopped anywhere and repeated.
 */
export function planReplay(letter: ReplayedLetter, ledger: Ledger | undefined, now_ms: number): ReplayPlan {
  const { envelope, service } = letter;
  if (envelope?.service !== service) {
    return keep("MESSAGE_UNREADABLE", `it is no message for ${service} and would fail again; purge it`);
  }
  if (!ledger) return keep("TASK_UNKNOWN", `there is no task ${envelope.task_id}; purge it`);
  const { task, steps } = ledger;
  if (service === ORCHESTRATOR) return send("the orchestrator looks at the task again");
  if (task.status === "canceled" || task.cancel_requested_at) {
    return remove("TASK_CANCELED", "its task was canceled and stays so; the message is only taken out");
  }
  const record = steps.find(({ step, round }) => step === envelope.step && round === envelope.round);
  if (!record) return planUnclaimed(envelope, ledger);
  if (record.source_hash !== envelope.source_hash) {
    return keep(
      "OTHER_INPUT",
      "the step was claimed for another input, so it would be refused again; purge it",
    );
  }
  return planStep(letter, ledger, record, now_ms);
}

function planUnclaimed({ step, round }: Envelope, { task }: Ledger): ReplayPlan {
  const due = !task.ended_at && task.current?.step === step && task.current.round === round;
  if (due) return send("no worker has claimed the step yet");
  return keep("STEP_NOT_DUE", `its task is not at step ${step} round ${round}; purge it`);
}

function planStep(letter: ReplayedLetter, ledger: Ledger, record: StepRecord, now_ms: number): ReplayPlan {
  const { step, round, status, outcome, replays = [] } = record;
  const generation = replays.length;
  if (generation > 0 && !isReopened(ledger.task, { step, round, generation })) {
    return { kind: "reopen", reason: "TASK_REOPENED", sentence: "its task takes up work again at this step" };
  }
  const replayed = replays.findLastIndex(({ failure_id }) => failure_id === letter.failure_id);
  if (replayed >= 0) {
    const waits = replayed === generation - 1 && status === "waiting";
    if (waits) return send("a replay that did not finish goes on");
    return remove("REPLAYED_ALREADY", "it was replayed; the message is only taken out");
  }
  if (status === "completed" && !outcome?.dead_letter) {
    const sentence = `the step has ended since (${outcome?.verdict}); the message is only taken out`;
    return remove("STEP_ENDED_SINCE", sentence);
  }
  if (status === "completed" || status === "canceled") return planRearming(ledger, record);
  if (status === "running" && record.lease_expires_at >= now_ms) {
    return keep("STEP_IN_PROGRESS", "a worker is at the step; replay again if it does not succeed");
  }
  return send("the step waits for a worker");
}

/** Only a sealed task is taken back, for nobody else moves one; and only its last step, so no input changes. */
function planRearming({ task, steps }: Ledger, record: StepRecord): ReplayPlan {
  if (!task.sealed_at) {
    return keep("TASK_NOT_ENDED", "its task has not ended on it yet; replay again when it has");
  }
  const later = steps.find((other) => comesAfter(task.definition, other, record));
  if (later) {
    const sentence = `the task went on without it to ${later.step} round ${later.round}; submit it anew, and purge this`;
    return keep("STEP_SUPERSEDED", sentence);
  }
  if ((task.reopenings ?? []).length >= REPLAYS_MAX) {
    return keep(
      "REPLAYS_SPENT",
      `its task was replayed ${REPLAYS_MAX} times; submit it anew, and purge this`,
    );
  }
  const sentence = `step ${record.step} round ${record.round} starts again and its task goes on from there`;
  return { kind: "rearm", reason: "STEP_REARMED", sentence };
}

function send(sentence: string): ReplayPlan {
  return { kind: "send", reason: "MESSAGE_SENT", sentence: `the message is sent again: ${sentence}` };
}

function remove(reason: ErrorCode, sentence: string): ReplayPlan {
  return { kind: "remove", reason, sentence };
}

function keep(reason: ErrorCode, sentence: string): ReplayPlan {
  return { kind: "keep", reason, sentence };
}

/** What replaying a dead delivery of a webhook means now: its task has ended and is left alone. */
export function planRedelivery(
  { envelope, service, failure_id }: ReplayedLetter,
  record: DeliveryRecord | undefined,
  now_ms: number,
): ReplayPlan {
  if (envelope?.service !== service) {
    const sentence = `it is no message for ${service} and would fail again; purge it`;
    return { kind: "keep", reason: "MESSAGE_UNREADABLE", sentence };
  }
  if (!record) {
    const sentence = "there is no such delivery, or its time is over; purge it";
    return { kind: "keep", reason: "DELIVERY_UNKNOWN", sentence };
  }
  const { status, outcome, replays = [], lease_expires_at } = record;
  const replayed = replays.findLastIndex((replay) => replay.failure_id === failure_id);
  if (replayed >= 0 && !(replayed === replays.length - 1 && status === "waiting")) {
    const sentence = "it was replayed; the message is only taken out";
    return { kind: "remove", reason: "REPLAYED_ALREADY", sentence };
  }
  if (status === "completed") {
    if (outcome?.dead_letter) {
      return { kind: "rearm", reason: "DELIVERY_REARMED", sentence: "the event is delivered again" };
    }
    const sentence = `it has ended since (${outcome?.verdict}); the message is only taken out`;
    return { kind: "remove", reason: "DELIVERY_ENDED_SINCE", sentence };
  }
  if (status === "running" && lease_expires_at >= now_ms) {
    const sentence = "a worker is at it; replay again if it does not succeed";
    return { kind: "keep", reason: "STEP_IN_PROGRESS", sentence };
  }
  return {
    kind: "send",
    reason: "MESSAGE_SENT",
    sentence: "the message is sent again: it waits for a worker",
  };
}

/** A dead letter with all that is known of it, and what a replay would do now. */
export interface CaseExplanation {
  one: DeadLetterCase;
  task: TaskRecord | undefined;
  step: StepRecord | undefined;
  plan: ReplayPlan;
}

/** Joins a case with its task and step. Reads only. */
export async function explainCase(one: DeadLetterCase, ports: ReplayPorts): Promise<CaseExplanation> {
  const { envelope } = one.letter;
  const ledger = envelope && (await readLedger(envelope.tenant, envelope.task_id, ports));
  const step = ledger?.steps.find(
    (record) => record.step === envelope?.step && record.round === envelope.round,
  );
  return { one, task: ledger?.task, step, plan: planReplay(one.letter, ledger, ports.runtime.now()) };
}
