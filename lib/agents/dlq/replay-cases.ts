import {
  GetQueueAttributesCommand,
  ListMessageMoveTasksCommand,
  StartMessageMoveTaskCommand,
} from "@aws-sdk/client-sqs";
import { type DeadLetterCase, type Visit, visitCases } from "#lib/agents/dlq/dead-letter-case.ts";
import {
  type DeadLetter,
  type ReplayPorts,
  receiveDeadLetters,
  releaseDeadLetters,
  removeDeadLetter,
} from "#lib/agents/dlq/dead-letter-queue.ts";
import { settleFailureRecord } from "#lib/agents/dlq/failure-store.ts";
import type { ReplayPlan } from "#lib/agents/dlq/plan-replay.ts";
import {
  prepareReplay,
  previewReplay,
  type Replayed,
  replayMessage,
} from "#lib/agents/dlq/replay-message.ts";
import { TerminalFault } from "#lib/platform/errors/fault.ts";

/** All dead letters that match the filter, oldest failure first. Changes nothing. */
export async function listCases(visit: Visit, ports: ReplayPorts): Promise<DeadLetterCase[]> {
  const cases = await visitCases(visit, async (one) => ({ left: false, result: one }), ports);
  return cases.sort((a, b) => a.last_at.localeCompare(b.last_at));
}

export interface CasePlan {
  one: DeadLetterCase;
  plan: ReplayPlan;
}

/** Plans the replay of each matching dead letter. Changes nothing. */
export function previewCases(visit: Visit, ports: ReplayPorts): Promise<CasePlan[]> {
  const preview = async (one: DeadLetterCase) => ({
    left: false,
    result: { one, plan: await previewReplay(one.letter, ports) },
  });
  return visitCases(visit, preview, ports);
}

export interface CaseReplay {
  one: DeadLetterCase;
  replayed: Replayed;
}

/** Replays the matching dead letters. When several belong to one step, only one of them re-arms it. */
export function replayCases(
  visit: Visit,
  options: { force: boolean },
  ports: ReplayPorts,
): Promise<CaseReplay[]> {
  const replay = async (one: DeadLetterCase) => {
    const replayed = await replayMessage(one.letter, options, ports);
    return { left: replayed.did !== "kept", result: { one, replayed } };
  };
  return visitCases(visit, replay, ports);
}

/** Deletes the matching dead letters. Their failure records stay, marked as discarded. */
export function purgeCases(visit: Visit, ports: ReplayPorts): Promise<DeadLetterCase[]> {
  const purge = async (one: DeadLetterCase) => {
    await settleFailureRecord(one.letter, "discarded_at", ports);
    await removeDeadLetter(one.letter, ports);
    return { left: true, result: one };
  };
  return visitCases(visit, purge, ports);
}

export interface QueueMove {
  /** Messages that returned to their queue. */
  moved: number;
  removed: number;
  kept: number;
}

const POLLS_MAX = 600;
const POLL_MS = 1000;

/**
 * Replays a whole DLQ with SQS's own message move. Each message is prepared first (its step re-armed, its task
 * reopened). A message that would fail again is kept invisible during the move, so it stays in the DLQ. The
 * destination is given explicitly: SQS does not know the source queue of a message that was sent to the DLQ.
 * A moved message keeps its old deadline; when that has passed, the worker nudges the orchestrator, which
 * dispatches the step again.
 * https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_StartMessageMoveTask.html
 *
 * @throws TerminalFault `MOVE_FAILED`
 */
export async function moveQueue(
  service: string,
  limit: number,
  ports: ReplayPorts,
  onProgress?: (counts: { looked_at: number; meant: number }) => void,
): Promise<QueueMove> {
  const ready: DeadLetter[] = [];
  const kept: DeadLetter[] = [];
  let removed = 0;
  let prepared = 0;
  try {
    for await (const letters of receiveDeadLetters(service, limit, ports)) {
      for (const letter of letters) {
        const { plan } = await prepareReplay(letter, ports);
        if (plan.kind === "remove") {
          await settleFailureRecord(letter, "resolved_at", ports);
          await removeDeadLetter(letter, ports);
          removed += 1;
          continue;
        }
        if (plan.kind === "send") await settleFailureRecord(letter, "replayed_at", ports);
        (plan.kind === "send" ? ready : kept).push(letter);
      }
      prepared = ready.length;
      onProgress?.({ looked_at: prepared + kept.length + removed, meant: prepared });
    }
    await releaseDeadLetters(ready.splice(0), ports);
    const moved = prepared > 0 ? await moveVisible(service, ports) : 0;
    return { moved, removed, kept: kept.length };
  } finally {
    await releaseDeadLetters([...ready, ...kept], ports);
  }
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
