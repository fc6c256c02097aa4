import {
  GetQueueAttributesCommand,
  ListMessageMoveTasksCommand,
  StartMessageMoveTaskCommand,
} from "@aws-sdk/client-sqs";
import { replaysOf } from "#lib/agents/dlq/count-replays.ts";
import {
  type DeadLetter,
  type ReplayPorts,
  receiveDeadLetters,
  releaseDeadLetters,
  removeDeadLetter,
} from "#lib/agents/dlq/dead-letter-queue.ts";
import { beginReplay, isOpen, settleFailure } from "#lib/agents/dlq/failure-store.ts";
import { type FailedMessage, failedMessage, prepareReplay } from "#lib/agents/dlq/replay-message.ts";
import { countDeadLetters, findFailure } from "#lib/agents/dlq/sweep-dead-letters.ts";
import { TerminalFault } from "#lib/platform/errors/fault.ts";

export interface QueueMove {
  /** Messages that returned to their queue. */
  moved: number;
  /** Messages that needed no replay any more, and were deleted. */
  removed: number;
  /** Messages that would fail again, were replayed as often as allowed, or that another reader holds. They stay. */
  kept: number;
}

const POLLS_MAX = 600;
const POLL_MS = 1000;
/** So often a message that another reader holds is waited for; one round takes two seconds at least. */
const ROUNDS_MAX = 30;

/**
 * Replays a whole DLQ with SQS's own message move. Each message is prepared first (its step re-armed, its task
 * reopened). A message that would fail again is kept invisible during the move, so it stays in the DLQ. The
 * destination is given explicitly: SQS does not know the source queue of a message that was sent to the DLQ.
 * A moved message keeps its old deadline; when that has passed, the worker nudges the orchestrator, which
 * dispatches the step again. Sweep the queue first: a message without a failure record stays.
 * https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_StartMessageMoveTask.html
 *
 * @throws TerminalFault `MOVE_FAILED`
 */
export async function moveQueue(
  service: string,
  { limit, replays_max }: { limit: number; replays_max: number },
  ports: ReplayPorts,
): Promise<QueueMove> {
  const ready: { letter: DeadLetter; failed: FailedMessage }[] = [];
  const kept: DeadLetter[] = [];
  let removed = 0;
  let released = false;
  let elsewhere = 0;
  const seen = () => ready.length + kept.length + removed;
  try {
    for (let rounds = 0; rounds < ROUNDS_MAX; rounds += 1) {
      for await (const letters of receiveDeadLetters(service, limit - seen(), ports)) {
        for (const letter of letters) {
          const { did, failed } = await prepareLetter(letter, replays_max, ports);
          if (did === "remove") {
            await removeDeadLetter(letter, ports);
            removed += 1;
          } else if (did === "send" && failed) ready.push({ letter, failed });
          else kept.push(letter);
        }
      }
      // The sweep of the queue may hold some: it releases them when it has read them all.
      elsewhere = Math.max(0, (await countDeadLetters(service, ports)) - ready.length - kept.length);
      if (elsewhere === 0 || seen() >= limit) break;
      await ports.runtime.sleep(POLL_MS);
    }
    released = true;
    await releaseDeadLetters(
      ready.map(({ letter }) => letter),
      ports,
    );
    const moved = ready.length > 0 ? await moveVisible(service, ports) : 0;
    for (const { failed } of ready) await settleFailure(failed, { as: "replayed" }, ports);
    return { moved, removed, kept: kept.length + elsewhere };
  } finally {
    const held = released ? [] : ready.map(({ letter }) => letter);
    await releaseDeadLetters([...held, ...kept], ports);
  }
}

async function prepareLetter(
  letter: DeadLetter,
  replays_max: number,
  ports: ReplayPorts,
): Promise<{ did: "send" | "remove" | "keep"; failed?: FailedMessage }> {
  const found = await findFailure(letter, ports);
  if (!found) return { did: "keep" };
  const { place, record } = found;
  if (!isOpen(record)) return { did: "remove" };
  const failed = failedMessage({ ...place, record, position: "" });
  if (replaysOf({ record }, failed.envelope) >= replays_max) return { did: "keep" };
  const { plan, message } = await prepareReplay(failed, ports);
  if (plan.kind === "remove") {
    await settleFailure(failed, { as: "resolved" }, ports);
    return { did: "remove" };
  }
  // The step of an edit that was interrupted waits for another message than the one in the queue.
  if (plan.kind !== "send" || message?.source_hash !== failed.envelope?.source_hash) return { did: "keep" };
  if (!(await beginReplay(failed, ports))) return { did: "keep" };
  return { did: "send", failed };
}

/** Moves the visible messages of the DLQ and waits until the move has ended. Returns how many were moved. */
async function moveVisible(service: string, ports: ReplayPorts): Promise<number> {
  const { sqs, runtime } = ports;
  const SourceArn = await queueArn(ports.deadLetterQueueUrl(service), ports);
  const DestinationArn = await queueArn(ports.queueUrl(service), ports);
  await sqs.send(new StartMessageMoveTaskCommand({ SourceArn, DestinationArn }));
  for (let polls = 0; polls < POLLS_MAX; polls += 1) {
    const { Results } = await sqs.send(new ListMessageMoveTasksCommand({ SourceArn, MaxResults: 1 }));
    const { Status, FailureReason, ApproximateNumberOfMessagesMoved = 0 } = Results?.[0] ?? {};
    if (Status === "COMPLETED") return ApproximateNumberOfMessagesMoved;
    if (Status === "FAILED" || Status === "CANCELLED") {
      throw new TerminalFault("MOVE_FAILED", `SQS ended the move: ${FailureReason ?? Status}; replay again`);
    }
    await runtime.sleep(POLL_MS);
  }
  throw new TerminalFault(
    "MOVE_FAILED",
    "the move by SQS did not end within 10 minutes; see ListMessageMoveTasks",
  );
}

async function queueArn(QueueUrl: string, { sqs }: ReplayPorts): Promise<string> {
  const { Attributes } = await sqs.send(
    new GetQueueAttributesCommand({ QueueUrl, AttributeNames: ["QueueArn"] }),
  );
  return Attributes?.QueueArn ?? "";
}

/** True when this SQS endpoint supports message moves; some emulators do not. */
export async function canMove(service: string, ports: ReplayPorts): Promise<boolean> {
  try {
    const SourceArn = await queueArn(ports.deadLetterQueueUrl(service), ports);
    await ports.sqs.send(new ListMessageMoveTasksCommand({ SourceArn, MaxResults: 1 }));
    return true;
  } catch (error) {
    if (error instanceof Error && /InvalidAction|UnsupportedOperation|NotImplemented/.test(error.name))
      return false;
    throw error;
  }
}
