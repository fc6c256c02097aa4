import { SendMessageCommand } from "@aws-sdk/client-sqs";
import { type DeadLetter, type ReplayPorts, removeDeadLetter } from "#lib/agents/dlq/dead-letter-queue.ts";
import { settleFailureRecord } from "#lib/agents/dlq/failure-store.ts";
import { planRedelivery, planReplay, type ReplayPlan } from "#lib/agents/dlq/plan-replay.ts";
import { sendEnvelope } from "#lib/platform/messages/send-envelope.ts";
import { instant, type Runtime } from "#lib/platform/runtime/runtime.ts";
import { recordExpiry } from "#lib/platform/table/retention.ts";
import { childSpan, formatTraceparent, parseTraceparent } from "#lib/platform/trace/traceparent.ts";
import { keepSteps, rearmStep } from "#lib/resilience/idempotency/step-item.ts";
import { deadlineAgain, type Ledger, readLedger, reopenTask } from "#lib/work/tasks/task-store.ts";
import { WEBHOOKS } from "#lib/work/webhooks/delivery.ts";
import { deadlineFrom, deliveryPlace, readDelivery } from "#lib/work/webhooks/delivery-store.ts";
import type { Envelope } from "#schemas/messages/envelope.ts";
import type { DeliveryRecord } from "#schemas/records/delivery.ts";

export interface Replayed {
  did: "sent" | "removed" | "kept";
  reason: string;
  sentence: string;
}

/** One re-arming, one reopening and one sending, with spare rounds for races lost to other replays. */
const WRITES_MAX = 8;

/** The remaining action of a replay, and the deadline of the message to send. */
export interface PreparedReplay {
  plan: ReplayPlan;
  /** RFC 3339. Undefined when no message can be sent. */
  deadline_at?: string | undefined;
}

/** Plans the first action of a replay. Writes nothing. */
export async function previewReplay(letter: DeadLetter, ports: ReplayPorts): Promise<ReplayPlan> {
  if (letter.service === WEBHOOKS) return previewRedelivery(letter, ports);
  return planReplay(letter, await ledgerOf(letter, ports), ports.runtime.now());
}

/**
 * Replays one dead letter: re-arms the step, reopens the task, marks the failure record as replayed, sends
 * the message, and only then removes it from the DLQ. If it stops between any two of these, the next replay
 * of the letter does the rest. `force` sends an unreadable message unchanged.
 */
export async function replayMessage(
  letter: DeadLetter,
  { force }: { force: boolean },
  ports: ReplayPorts,
): Promise<Replayed> {
  const { plan, deadline_at } = await prepareReplay(letter, ports);
  const { reason, sentence } = plan;
  if (plan.kind === "remove") {
    await settleFailureRecord(letter, "resolved_at", ports);
    await removeDeadLetter(letter, ports);
    return { did: "removed", reason, sentence };
  }
  if (plan.kind === "send" && letter.envelope && deadline_at !== undefined) {
    await settleFailureRecord(letter, "replayed_at", ports);
    const message = replayEnvelope(letter.envelope, deadline_at, ports.runtime);
    await sendEnvelope(ports.queueUrl(letter.service), message, ports);
    await removeDeadLetter(letter, ports);
    return { did: "sent", reason, sentence };
  }
  if (force && reason === "MESSAGE_UNREADABLE") return sendAsItIs(letter, ports);
  return { did: "kept", reason, sentence };
}

/**
 * Makes the writes that must be durable before the message is sent, one at a time, and reads the ledger again
 * after each. Returns the remaining action: `send`, `remove` or `keep`.
 */
export async function prepareReplay(letter: DeadLetter, ports: ReplayPorts): Promise<PreparedReplay> {
  if (letter.service === WEBHOOKS) return prepareRedelivery(letter, ports);
  for (let writes = 0; writes < WRITES_MAX; writes += 1) {
    const ledger = await ledgerOf(letter, ports);
    const plan = planReplay(letter, ledger, ports.runtime.now());
    if (!ledger || !(plan.kind === "rearm" || plan.kind === "reopen")) {
      return { plan, deadline_at: ledger?.task.deadline_at };
    }
    await writeNext(plan.kind, letter, ledger, ports);
  }
  const sentence = "another process keeps changing its task; replay it again";
  return { plan: { kind: "keep", reason: "TASK_CONTENDED", sentence } };
}

/** Makes one write. The caller reads the ledger again, which shows whether this write or a competing one succeeded. */
async function writeNext(
  kind: "rearm" | "reopen",
  { envelope, failure_id }: DeadLetter,
  { task, steps }: Ledger,
  ports: ReplayPorts,
): Promise<void> {
  const record = steps.find(({ step, round }) => step === envelope?.step && round === envelope.round);
  if (!record || !envelope) throw new TypeError("a plan to re-arm or reopen needs a recorded step");
  if (kind === "rearm") {
    await rearmStep(record, { failure_id, message_id: envelope.message_id }, ports);
    return;
  }
  const { step, round, replays = [] } = record;
  // Before the task is reopened: otherwise its finished steps could expire first and would run again.
  const deadline_at = instant(deadlineAgain(task, ports.runtime.now()));
  await keepSteps(steps, recordExpiry(deadline_at, ports.artifacts().value), ports);
  const check_ms = ports.retryPolicy().value.redispatch_seconds * 1000;
  await reopenTask(task, { step, round, replay_count: replays.length }, check_ms, ports);
}

async function ledgerOf({ envelope }: DeadLetter, ports: ReplayPorts): Promise<Ledger | undefined> {
  return envelope && readLedger(envelope.tenant, envelope.task_id, ports);
}

async function sendAsItIs(letter: DeadLetter, ports: ReplayPorts): Promise<Replayed> {
  await settleFailureRecord(letter, "replayed_at", ports);
  const QueueUrl = ports.queueUrl(letter.service);
  await ports.sqs.send(new SendMessageCommand({ QueueUrl, MessageBody: letter.body }));
  await removeDeadLetter(letter, ports);
  return { did: "sent", reason: "SENT_AS_IT_IS", sentence: "it is sent unchanged, as --force asks" };
}

/** One re-arming and one sending, with spare rounds for races lost to other replays. */
const DELIVERY_WRITES_MAX = 4;

/** Plans the first action of replaying a dead webhook delivery. Writes nothing. */
async function previewRedelivery(letter: DeadLetter, ports: ReplayPorts): Promise<ReplayPlan> {
  return planRedelivery(letter, await recordOf(letter, ports), ports.runtime.now());
}

/** Re-arms the delivery when it was given up, and returns the remaining action. The task is not changed. */
async function prepareRedelivery(letter: DeadLetter, ports: ReplayPorts): Promise<PreparedReplay> {
  for (let writes = 0; writes < DELIVERY_WRITES_MAX; writes += 1) {
    const record = await recordOf(letter, ports);
    const now_ms = ports.runtime.now();
    const plan = planRedelivery(letter, record, now_ms);
    if (plan.kind !== "rearm" || !record || !letter.envelope) {
      return { plan, deadline_at: deadlineFrom(now_ms) };
    }
    const dead = { failure_id: letter.failure_id, message_id: letter.envelope.message_id };
    await rearmStep(record, dead, ports, deliveryPlace);
  }
  const sentence = "another process keeps changing the delivery; replay it again";
  return { plan: { kind: "keep", reason: "DELIVERY_CONTENDED", sentence } };
}

async function recordOf({ envelope }: DeadLetter, ports: ReplayPorts): Promise<DeliveryRecord | undefined> {
  return envelope && readDelivery(envelope, ports);
}

/** A copy of the message with a new message id and deadline, in the same trace and with the same idempotency key. */
function replayEnvelope(original: Envelope, deadline_at: string, runtime: Runtime): Envelope {
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
    replay_of: original.message_id,
  };
}
