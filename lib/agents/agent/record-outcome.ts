import type { ReceivedMessage } from "#lib/agents/agent/message.ts";
import { inSpan } from "#lib/platform/trace/span.ts";
import type { Lease } from "#lib/resilience/idempotency/step-claims.ts";
import type { ClaimKey } from "#lib/resilience/idempotency/step-item.ts";
import type { StepOutcome } from "#schemas/records/step.ts";

/** A step's outcome, after how many tries, and in the invocation that ran it what lay behind an error. */
export interface EndedStep extends StepOutcome {
  attempts: number;
  cause?: unknown;
}

/** Ends a step for good. Throws `LeaseLost`. */
export async function recordOutcome(
  ended: StepOutcome,
  message: ReceivedMessage,
  key: ClaimKey,
  lease: Lease,
  policy_hash = message.platform.retryPolicy().hash,
): Promise<EndedStep> {
  const { platform, counters, log, span } = message;
  const outcome = lease.replay_count > 0 ? { ...ended, generation: lease.replay_count } : ended;
  const facts = { "agents.verdict": outcome.verdict, ...(outcome.code && { "error.type": outcome.code }) };
  span.set({ "agents.outcome": "completed", ...facts });
  if (outcome.verdict === "error") span.fail(outcome.code ?? "UNEXPECTED", outcome.message ?? "no message");
  await inSpan(span, { name: `complete ${key.step}`, attributes: facts }, platform.runtime, () =>
    platform.claims.complete(key, lease, outcome),
  );
  counters.count(`steps_${outcome.verdict}`, key.tenant);
  log.info("STEP_ENDED", `${key.step} ended: ${outcome.verdict}`, {
    verdict: outcome.verdict,
    error_code: outcome.code,
    policy_hash,
  });
  return { ...outcome, attempts: lease.attempt };
}
