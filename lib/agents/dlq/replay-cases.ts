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

/** All dead letters that are meant, oldest failure first. Changes nothing. */
export async function listCases(visit: Visit, ports: ReplayPorts): Promise<DeadLetterCase[]> {
  const cases = await visitCases(visit, async (one) => ({ left: false, result: one }), ports);
  return cases.sort((a, b) => a.last_at.localeCompare(b.last_at));
}

export interface CasePlan {
  one: DeadLetterCase;
  plan: ReplayPlan;
}

/** What replaying them would do. Changes nothing. */
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

/** Replays them, one message at a time. Those of one step meet in its record: one of them re-arms it. */
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

/** Takes them out of their DLQs for good. Their failure records stay, as discarded. */
export function purgeCases(visit: Visit, ports: ReplayPorts): Promise<DeadLetterCase[]> {
  const purge = async (one: DeadLetterCase) => {
    await settleFailureRecord(one.letter, "discarded_at", ports);
    await removeDeadLetter(one.letter, ports);
    return { left: true, result: one };
  };
  return visitCases(visit, purge, ports);
}

export interface QueueMove {
  /** Messages that went back to their queue. */
  moved: number;
  removed: number;
  kept: number;
}

const POLLS_MAX = 600;
const POLL_MS = 1000;

/**
 * Replays a whole DLQ by a move of SQS itself. Every message is prepared first (its step re-armed,
 * its task reopened); what would only fail again stays hidden from the move and so in the DLQ. The
 * destination is named, for SQS does not know where a message came from that was sent to the DLQ.
 * A moved message is the old one; a worker that finds its deadline passed has it dispatched anew.
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

/** Moves what is visible in the DLQ and waits until it is done. */
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
    "SQS has not ended the move in 10 minutes; see ListMessageMoveTasks",
  );
}

async function queueArn(QueueUrl: string, { sqs }: ReplayPorts): Promise<string> {
  const { Attributes } = await sqs.send(
    new GetQueueAttributesCommand({ QueueUrl, AttributeNames: ["QueueArn"] }),
  );
  return Attributes?.QueueArn ?? "";
}

/** Whether this endpoint's SQS moves messages itself; some emulators do not. */
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
