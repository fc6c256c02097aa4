import { type ReplayPorts, readEnvelope } from "#lib/agents/dlq/dead-letter-queue.ts";
import type { ListedFailure } from "#lib/agents/dlq/failure-lists.ts";
import { beginReplay, settleFailure } from "#lib/agents/dlq/failure-store.ts";
import {
  planRedelivery,
  planReplay,
  type ReplayedLetter,
  type ReplayPlan,
} from "#lib/agents/dlq/plan-replay.ts";
import type { ErrorCode } from "#lib/platform/errors/codes.ts";
import { editedEnvelope } from "#lib/platform/messages/envelope.ts";
import { sendEnvelope } from "#lib/platform/messages/send-envelope.ts";
import { instant, type Runtime } from "#lib/platform/runtime/runtime.ts";
import { recordExpiry } from "#lib/platform/table/retention.ts";
import { childSpan, formatTraceparent, parseTraceparent } from "#lib/platform/trace/traceparent.ts";
import { type EditedInput, keepSteps, rearmStep, taskSteps } from "#lib/resilience/idempotency/step-item.ts";
import { deadlineAgain, type Ledger, readLedger, reopenTask } from "#lib/work/tasks/task-store.ts";
import { WEBHOOKS } from "#lib/work/webhooks/delivery.ts";
import { deadlineFrom, deliveryPlace, readDelivery } from "#lib/work/webhooks/delivery-store.ts";
import type { Envelope } from "#schemas/messages/envelope.ts";
import type { DeliveryRecord } from "#schemas/records/delivery.ts";
import type { StepRecord } from "#schemas/records/step.ts";

/** What a replay needs of a failed message: its failure record has it, and its dead letter too. */
export interface FailedMessage extends ReplayedLetter {
  tenant: string;
  last_at: string;
}

export interface Replayed {
  did: "sent" | "removed" | "kept";
  reason: ErrorCode;
  sentence: string;
  /** Of the message that was sent. */
  message_id?: string;
  /** Replays of the step, with this one; undefined where nothing is known of its end afterwards. */
  replay_count?: number;
}

/** The message of a failure record. A body that is no envelope has none. */
export function failedMessage({ tenant, failure_id, record }: ListedFailure): FailedMessage {
  const envelope = readEnvelope(record.body);
  return { service: record.service, envelope, failure_id, tenant, last_at: record.last_at };
}

/** A message with another payload, who wanted it and why. */
export interface Edit {
  edited: Envelope;
  by: string;
  why: string;
}

/** Who replays a failure, and what instead of its message. */
export interface ReplayOrder {
  edit?: Edit | undefined;
  /** The replay job. */
  replay_id?: string | undefined;
}

/** One re-arming, one reopening and one sending, with spare rounds for races lost to other replays. */
const WRITES_MAX = 8;

/** The remaining action of a replay, and the deadline of the message to send. */
export interface PreparedReplay {
  plan: ReplayPlan;
  /** RFC 3339. Undefined when no message can be sent. */
  deadline_at?: string | undefined;
  /** Replays of the step or delivery, with this one. */
  replay_count?: number | undefined;
  /** What is sent: the failed message, or the one that an edit made of it. */
  message?: Envelope | undefined;
}

/** Plans the first action of a replay. Writes nothing. */
export async function previewReplay(failed: FailedMessage, ports: ReplayPorts): Promise<ReplayPlan> {
  if (failed.service === WEBHOOKS) return previewRedelivery(failed, ports);
  const ledger = await ledgerOf(failed, ports);
  const envelope = editedBefore(failed, stepOf(failed, ledger)) ?? failed.envelope;
  return planReplay({ ...failed, envelope }, ledger, ports.runtime.now());
}

/**
 * Replays one failure: re-arms the step, reopens the task, notes in the failure record that a replay begins, sends
 * the message, and only then settles the failure. If it stops between any two of these, the next replay
 * does the rest, and keeps to the payload of an edit that was interrupted. The dead letter stays in its queue until
 * the queue is swept. An edited message is sent in place of the original, on a step that can be re-armed.
 */
export async function replayMessage(
  failed: FailedMessage,
  ports: ReplayPorts,
  { edit, replay_id }: ReplayOrder = {},
): Promise<Replayed> {
  const {
    plan,
    deadline_at,
    replay_count,
    message: original,
  } = await prepareReplay(failed, ports, edit?.edited);
  const { reason, sentence } = plan;
  if (plan.kind === "remove") {
    await settleFailure(failed, { as: "resolved", by: replay_id }, ports);
    return { did: "removed", reason, sentence };
  }
  if (plan.kind !== "send" || !original || deadline_at === undefined)
    return { did: "kept", reason, sentence };
  if (!(await beginReplay(failed, ports, edit && { by: edit.by, why: edit.why }))) {
    const said = "it was replayed, resolved or discarded meanwhile";
    return { did: "removed", reason: "FAILURE_SETTLED", sentence: said };
  }
  const message = replayEnvelope(original, deadline_at, failed.envelope ?? original, ports.runtime);
  await sendEnvelope(ports.queueUrl(failed.service), message, ports);
  const { message_id } = message;
  await settleFailure(failed, { as: "replayed", message_id, by: replay_id }, ports);
  return { did: "sent", reason, sentence, message_id, ...(replay_count !== undefined && { replay_count }) };
}

/**
 * Makes the writes that must be durable before the message is sent, one at a time, and reads the ledger again
 * after each. Returns the remaining action: `send`, `remove` or `keep`.
 */
export async function prepareReplay(
  failed: FailedMessage,
  ports: ReplayPorts,
  edited?: Envelope,
): Promise<PreparedReplay> {
  if (failed.service === WEBHOOKS) return prepareRedelivery(failed, ports);
  for (let writes = 0; writes < WRITES_MAX; writes += 1) {
    const ledger = await ledgerOf(failed, ports);
    const record = stepOf(failed, ledger);
    const has_edit = edited !== undefined && record?.source_hash === edited.source_hash;
    const message = (has_edit ? edited : editedBefore(failed, record)) ?? failed.envelope;
    const plan = planReplay({ ...failed, envelope: message }, ledger, ports.runtime.now());
    const replay_count = record && (record.replays ?? []).length;
    if (edited && !has_edit && plan.kind === "send") return { plan: notEditable() };
    if (!ledger || !(plan.kind === "rearm" || plan.kind === "reopen")) {
      return { plan, deadline_at: ledger?.task.deadline_at, replay_count, message };
    }
    await writeNext(plan.kind, failed, ledger, ports, edited);
  }
  const sentence = "another process keeps changing its task; replay it again";
  return { plan: { kind: "keep", reason: "TASK_CONTENDED", sentence } };
}

/** A step that no worker ended has its input: a copy with another one would be refused. */
function notEditable(): ReplayPlan {
  const sentence = "the step has not ended, so it keeps its input; replay it unchanged";
  return { kind: "keep", reason: "STEP_NOT_DUE", sentence };
}

function stepOf({ envelope }: FailedMessage, ledger: Ledger | undefined): StepRecord | undefined {
  return ledger?.steps.find(({ step, round }) => step === envelope?.step && round === envelope.round);
}

/** The message that an edit of this failure made, which was interrupted or is done. */
function editedBefore(
  { envelope, failure_id }: FailedMessage,
  record: StepRecord | undefined,
): Envelope | undefined {
  const own = record?.replays?.findLast((replay) => replay.failure_id === failure_id);
  if (!envelope || own?.edited_payload === undefined) return undefined;
  return editedEnvelope(envelope, JSON.parse(own.edited_payload));
}

/** Makes one write. The caller reads the ledger again, which shows whether this write or a competing one succeeded. */
async function writeNext(
  kind: "rearm" | "reopen",
  failed: FailedMessage,
  { task, steps }: Ledger,
  ports: ReplayPorts,
  edited: Envelope | undefined,
): Promise<void> {
  const { envelope, failure_id } = failed;
  const record = stepOf(failed, { task, steps });
  if (!record || !envelope) throw new TypeError("a plan to re-arm or reopen needs a recorded step");
  if (kind === "rearm") {
    const dead_letter = { failure_id, message_id: envelope.message_id };
    await rearmStep(record, dead_letter, ports, taskSteps, edited && editedInput(edited));
    return;
  }
  const { step, round, replays = [] } = record;
  // Before the task is reopened: otherwise its finished steps could expire first and would run again.
  const deadline_at = instant(deadlineAgain(task, ports.runtime.now()));
  await keepSteps(steps, recordExpiry(deadline_at, ports.artifacts().value), ports);
  const check_ms = ports.retryPolicy().value.redispatch_seconds * 1000;
  await reopenTask(task, { step, round, replay_count: replays.length }, check_ms, ports);
}

function editedInput({ payload, idempotency_key, source_hash }: Envelope): EditedInput {
  return { payload: JSON.stringify(payload), idempotency_key, source_hash };
}

async function ledgerOf({ envelope }: FailedMessage, ports: ReplayPorts): Promise<Ledger | undefined> {
  return envelope && readLedger(envelope.tenant, envelope.task_id, ports);
}

/** One re-arming and one sending, with spare rounds for races lost to other replays. */
const DELIVERY_WRITES_MAX = 4;

/** Plans the first action of replaying a dead webhook delivery. Writes nothing. */
async function previewRedelivery(letter: FailedMessage, ports: ReplayPorts): Promise<ReplayPlan> {
  return planRedelivery(letter, await recordOf(letter, ports), ports.runtime.now());
}

/** Re-arms the delivery when it was given up, and returns the remaining action. The task is not changed. */
async function prepareRedelivery(letter: FailedMessage, ports: ReplayPorts): Promise<PreparedReplay> {
  for (let writes = 0; writes < DELIVERY_WRITES_MAX; writes += 1) {
    const record = await recordOf(letter, ports);
    const now_ms = ports.runtime.now();
    const plan = planRedelivery(letter, record, now_ms);
    if (plan.kind !== "rearm" || !record || !letter.envelope) {
      return {
        plan,
        deadline_at: deadlineFrom(now_ms),
        replay_count: record && (record.replays ?? []).length,
        message: letter.envelope,
      };
    }
    const dead = { failure_id: letter.failure_id, message_id: letter.envelope.message_id };
    await rearmStep(record, dead, ports, deliveryPlace);
  }
  const sentence = "another process keeps changing the delivery; replay it again";
  return { plan: { kind: "keep", reason: "DELIVERY_CONTENDED", sentence } };
}

async function recordOf(
  { envelope }: FailedMessage,
  ports: ReplayPorts,
): Promise<DeliveryRecord | undefined> {
  return envelope && readDelivery(envelope, ports);
}

/**
 * The message that is sent for `replayed`: a copy of `original` with a new message id and deadline, in the same trace
 * and with the idempotency key of its payload.
 */
function replayEnvelope(
  original: Envelope,
  deadline_at: string,
  replayed: Envelope,
  runtime: Runtime,
): Envelope {
  const { trace_id, span_id, tracestate } = original;
  const parent = parseTraceparent(original.traceparent, tracestate) ?? { trace_id, span_id, sampled: true };
  const span = childSpan(parent, runtime);
  return {
    ...original,
    message_id: runtime.uuid(),
    span_id: span.span_id,
    parent_span_id: original.span_id,
    traceparent: formatTraceparent(span),
    attempt: original.attempt + 1,
    issued_at: instant(runtime.now()),
    deadline_at,
    replay_of: replayed.message_id,
  };
}
