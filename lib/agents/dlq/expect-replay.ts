import { replaysOf } from "#lib/agents/dlq/count-replays.ts";
import type { ReplayPorts } from "#lib/agents/dlq/dead-letter-queue.ts";
import type { ListedFailure } from "#lib/agents/dlq/failure-lists.ts";
import type { ReplayPlan } from "#lib/agents/dlq/plan-replay.ts";
import { failedMessage, previewReplay } from "#lib/agents/dlq/replay-message.ts";
import type { ErrorCode } from "#lib/platform/errors/codes.ts";
import type { ReplayExpectation } from "#schemas/http/dead-letters.ts";

/** What a replay of a failure does, as its task's ledger stands. */
export interface ExpectedReplay {
  expectation: ReplayExpectation;
  reason: ErrorCode;
  says: string;
}

/** Says what a replay of an open failure would do. Reads its task's ledger and writes nothing. */
export async function expectReplay(
  failure: ListedFailure,
  { replays_per_message_max }: { replays_per_message_max: number },
  ports: ReplayPorts,
): Promise<ExpectedReplay> {
  const failed = failedMessage(failure);
  if (replaysOf(failure, failed.envelope) >= replays_per_message_max)
    return permanent(replays_per_message_max);
  return expectationOf(await previewReplay(failed, ports));
}

/** What is said of a failure whose work was replayed as often as is allowed. */
export function permanent(replays_max: number): ExpectedReplay {
  return {
    expectation: "permanently_failed",
    reason: "PERMANENTLY_FAILED",
    says: `its work was replayed ${replays_max} times, which is the limit; edit it, discard it, or raise replays_per_message_max`,
  };
}

function expectationOf({ kind, reason, sentence: says }: ReplayPlan): ExpectedReplay {
  if (kind === "rearm" || kind === "reopen" || kind === "send") return { expectation: "run", reason, says };
  if (kind === "remove") return { expectation: "already_done", reason, says };
  if (reason === "STEP_IN_PROGRESS") return { expectation: "lease_live", reason, says };
  if (reason === "OTHER_INPUT") return { expectation: "mismatch", reason, says };
  return { expectation: "not_possible", reason, says };
}
