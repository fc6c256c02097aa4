import type { DeadLetterCase } from "#lib/agents/dlq/dead-letter-case.ts";
import { removeDeadLetter } from "#lib/agents/dlq/dead-letter-queue.ts";
import { settleFailureRecord } from "#lib/agents/dlq/failure-store.ts";
import type { ReplayPlan } from "#lib/agents/dlq/plan-replay.ts";
import { previewReplay, type Replayed, replayMessage } from "#lib/agents/dlq/replay-message.ts";
import type { ReplayPorts } from "#lib/agents/dlq/replay-ports.ts";
import { type Visit, visitCases } from "#lib/agents/dlq/visit-cases.ts";

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
