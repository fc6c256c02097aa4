import { SendMessageCommand } from "@aws-sdk/client-sqs";
import { removeDeadLetter } from "#lib/agents/dlq/dead-letter-queue.ts";
import { settleFailureRecord } from "#lib/agents/dlq/failure-store.ts";
import { planReplay, type ReplayPlan } from "#lib/agents/dlq/plan-replay.ts";
import type { DeadLetter } from "#lib/agents/dlq/read-dead-letter.ts";
import { prepareRedelivery, previewRedelivery } from "#lib/agents/dlq/replay-delivery.ts";
import { replayEnvelope } from "#lib/agents/dlq/replay-envelope.ts";
import type { ReplayPorts } from "#lib/agents/dlq/replay-ports.ts";
import { sendEnvelope } from "#lib/platform/messages/send-envelope.ts";
import { instant } from "#lib/platform/runtime/runtime.ts";
import { recordExpiry } from "#lib/platform/table/retention.ts";
import { keepSteps, rearmStep } from "#lib/resilience/idempotency/step-item.ts";
import { deadlineAgain, type Ledger, readLedger, reopenTask } from "#lib/work/tasks/task-store.ts";
import { WEBHOOKS } from "#lib/work/webhooks/delivery.ts";

export interface Replayed {
  did: "sent" | "removed" | "kept";
  reason: string;
  sentence: string;
}

/** A re-arming, a reopening, a sending, and as many races lost to other replays. */
const WRITES_MAX = 8;

/** What is left to do of a replay, and until when the message that is sent may be worked on. */
export interface PreparedReplay {
  plan: ReplayPlan;
  /** Undefined when nothing can be sent. */
  deadline_at?: string | undefined;
}

/** What a replay would do first, and whatever follows from that. Reads only. */
export async function previewReplay(letter: DeadLetter, ports: ReplayPorts): Promise<ReplayPlan> {
  if (letter.service === WEBHOOKS) return previewRedelivery(letter, ports);
  return planReplay(letter, await ledgerOf(letter, ports), ports.runtime.now());
}

/**
 * Replays one dead letter: step re-armed, task reopened, failure noted, message sent, and only then
 * taken out of the DLQ. Stopped between any two, the next replay of the letter does the rest.
 * `force` sends a message that cannot be read as it is.
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
 * Does what must be durable before the message is sent, and says what is left to do: `send`,
 * `remove` or `keep`. One write at a time, each decided from what is durable then.
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
  const sentence = "somebody else keeps moving its task; replay it again";
  return { plan: { kind: "keep", reason: "TASK_CONTENDED", sentence } };
}

/** Whether the write took or somebody else's came first shows when the ledger is read again. */
async function writeNext(
  kind: "rearm" | "reopen",
  { envelope, failure_id }: DeadLetter,
  { task, steps }: Ledger,
  ports: ReplayPorts,
): Promise<void> {
  const record = steps.find(({ step, round }) => step === envelope?.step && round === envelope.round);
  if (!record || !envelope) throw new TypeError("only a letter whose step is recorded is planned so");
  if (kind === "rearm") {
    await rearmStep(record, { failure_id, message_id: envelope.message_id }, ports);
    return;
  }
  const { step, round, replays = [] } = record;
  // Before the task, which would else outlive its finished steps and run them again.
  const deadline_at = instant(deadlineAgain(task, ports.runtime.now()));
  await keepSteps(steps, recordExpiry(deadline_at, ports.artifacts().value), ports);
  const check_ms = ports.retryPolicy().value.redispatch_seconds * 1000;
  await reopenTask(task, { step, round, generation: replays.length }, check_ms, ports);
}

async function ledgerOf({ envelope }: DeadLetter, ports: ReplayPorts): Promise<Ledger | undefined> {
  return envelope && readLedger(envelope.tenant, envelope.task_id, ports);
}

async function sendAsItIs(letter: DeadLetter, ports: ReplayPorts): Promise<Replayed> {
  await settleFailureRecord(letter, "replayed_at", ports);
  const QueueUrl = ports.queueUrl(letter.service);
  await ports.sqs.send(new SendMessageCommand({ QueueUrl, MessageBody: letter.body }));
  await removeDeadLetter(letter, ports);
  return { did: "sent", reason: "SENT_AS_IT_IS", sentence: "it is sent as it is, because you forced it" };
}
