import type { ReceivedMessage } from "#lib/agents/agent/message.ts";
import type { AgentPlatform } from "#lib/agents/agent/platform.ts";
import type { ErrorCode } from "#lib/platform/errors/codes.ts";
import { dispositionOf } from "#lib/platform/errors/disposition-of.ts";
import { type FailureFacts, failureFacts } from "#lib/platform/errors/failure.ts";
import { Fault, faultOf } from "#lib/platform/errors/fault.ts";
import type { Counters } from "#lib/platform/metrics/counters.ts";
import { failSpan, inSpan } from "#lib/platform/trace/span.ts";
import type { Lease } from "#lib/resilience/idempotency/step-claims.ts";
import type { ClaimKey } from "#lib/resilience/idempotency/step-item.ts";
import { decideRetry, type RetryDecision } from "#lib/resilience/retry/decide-retry.ts";
import { retryPolicyFor } from "#lib/resilience/retry/retry-policy-for.ts";
import { LimitCode } from "#schemas/artifacts/build-test-report.ts";
import type { RetryPolicy } from "#schemas/config/retry-policy.ts";
import type { Envelope } from "#schemas/messages/envelope.ts";
import type { StepOutcome } from "#schemas/records/step.ts";

/** What a run left, as its outcome lists it. */
export type WrittenArtifacts = Pick<StepOutcome, "artifacts" | "producer">;

/** Ends of a step that might have succeeded with another attempt. */
const RAN_OUT: ReadonlySet<string> = new Set(["attempts", "time", "deadline"]);

interface FailedWork {
  platform: Pick<AgentPlatform, "retryPolicy">;
  service?: string;
  envelope: Pick<Envelope, "service" | "role" | "tenant"> | undefined;
}

/** The retry policy in force now for a message that failed with `error`. */
export function policyOf({ platform, service, envelope }: FailedWork, error: unknown): RetryPolicy {
  return retryPolicyFor(platform.retryPolicy().value, {
    service: envelope?.service ?? service ?? "unknown",
    role: envelope?.role,
    tenant: envelope?.tenant,
    dependency: error instanceof Fault ? error.dependency : undefined,
    code: failureFacts(error).code,
  });
}

/** A step's outcome, its number of attempts and, in the invocation that ran it, the cause of an error. */
export interface EndedStep extends StepOutcome {
  attempts: number;
  cause?: unknown;
}

/** Writes the final outcome of a step. Throws `LeaseLost`. */
export async function recordOutcome(
  ended: StepOutcome,
  message: ReceivedMessage,
  key: ClaimKey,
  lease: Lease,
  policy_hash = message.platform.retryPolicy().hash,
): Promise<EndedStep> {
  const { platform, counters, log, span } = message;
  const outcome = lease.replay_count > 0 ? { ...ended, replay_count: lease.replay_count } : ended;
  const facts = { "agents.verdict": outcome.verdict, ...(outcome.code && { "error.type": outcome.code }) };
  span.set({ "agents.outcome": "completed", ...facts });
  if (outcome.verdict === "error") span.fail(outcome.code ?? "UNEXPECTED", outcome.message ?? "no message");
  message.prepareNudge?.(); // before the write, which carries its span
  await inSpan(span, { name: `complete ${key.step}`, attributes: facts }, platform.runtime, (completing) =>
    platform.claims.complete(key, lease, outcome, completing),
  );
  countOutcome(outcome, lease, key.tenant, counters);
  log.info("STEP_ENDED", `${key.step} ended: ${outcome.verdict}`, {
    verdict: outcome.verdict,
    error_code: outcome.code,
    policy_hash,
  });
  return { ...outcome, attempts: lease.attempt };
}

/** The store of the code graph is not as the code needs it. */
const GRAPH_REFUSALS: readonly string[] = [
  "VECTOR_INDEX_DIMENSIONS",
  "VECTOR_INDEX_SIMILARITY",
  "NEO4J_REFUSED",
  "SNAPSHOT_NOT_CONFORMING",
] satisfies ErrorCode[];

function countOutcome(
  { verdict, code }: StepOutcome,
  { replay_count }: Lease,
  tenant: string,
  counters: Counters,
): void {
  counters.count(`steps_${verdict}`, tenant);
  if (replay_count > 0) counters.count("steps_replayed", tenant);
  if (code !== undefined && GRAPH_REFUSALS.includes(code)) counters.count("graph_not_conforming", tenant);
  if (LimitCode.safeParse(code).success) counters.count("sandbox_limits_hit", tenant);
  if (code === ("MODEL_BUDGET_SPENT" satisfies ErrorCode)) counters.count("model_budget_refused", tenant);
}

/**
 * Ends a failed step when it must not be retried, with the artifacts that it had written; otherwise releases it and throws
 * a Fault that says when to retry.
 */
export async function recordFailure(
  error: unknown,
  message: ReceivedMessage,
  key: ClaimKey,
  lease: Lease,
  written: WrittenArtifacts,
): Promise<EndedStep> {
  const { platform, envelope } = message;
  const { runtime } = platform;
  const { hash } = platform.retryPolicy();
  const facts = failureFacts(error);
  const policy = policyOf(message, error);
  const decision = decideRetry(
    { disposition: dispositionOf(error, policy.dispositions), error, lease },
    { now_ms: runtime.now(), deadline_ms: Date.parse(envelope.deadline_at) },
    policy,
    runtime.random,
  );
  if (facts.code === ("MODEL_DAY_BUDGET_SPENT" satisfies ErrorCode)) {
    message.counters.count("model_budget_refused", key.tenant);
  }
  if (decision.kind === "end") {
    if (RAN_OUT.has(decision.because)) message.counters.count("retries_exhausted", key.tenant);
    const ended = await recordOutcome(
      { ...outcomeOf(decision, facts), ...written },
      message,
      key,
      lease,
      hash,
    );
    return { ...ended, cause: error instanceof Error ? error.cause : undefined };
  }
  const { disposition, retry_at_ms } = decision;
  const delay_ms = retry_at_ms - runtime.now();
  const parked = disposition === "park";
  const attributes = { "agents.retry.delay_ms": Math.round(delay_ms), "error.type": facts.code };
  const dependency = error instanceof Fault ? error.dependency : undefined;
  const fault = faultOf(disposition, facts.code, facts.message, {
    cause: error,
    retry_at_ms,
    dependency,
    decided: true,
  });
  failSpan(message.span, fault); // before the write, which carries it
  await inSpan(message.span, { name: `release ${key.step}`, attributes }, runtime, (releasing) =>
    platform.claims.release(key, lease, { ...facts, retry_at_ms, parked }, releasing),
  );
  if (parked) message.counters.count("steps_parked", key.tenant);
  throw fault;
}

function outcomeOf(
  { because, dead_letter }: RetryDecision & { kind: "end" },
  facts: FailureFacts,
): Omit<StepOutcome, "artifacts"> {
  const { code, message } = facts;
  switch (because) {
    case "terminal":
      return { verdict: "error", code, message, dead_letter };
    case "reject":
      return { verdict: "failed", code, message };
    case "attempts":
      return { verdict: "error", code, message, dead_letter };
    case "time":
      return {
        verdict: "error",
        code,
        message: `${message} (given up: total_seconds_max of the retry policy has passed)`,
        dead_letter,
      };
    case "deadline":
      return {
        verdict: "error",
        code: "WAIT_EXCEEDS_DEADLINE" satisfies ErrorCode,
        message: `${code}: ${message} The next attempt would be after the task's deadline: submit the task again with a later deadline.`,
      };
  }
}
