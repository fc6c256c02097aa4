import type { Why } from "#lib/resilience/circuit/circuit-moves.ts";
import type { RetryBudget } from "#lib/resilience/circuit/dependency-guard.ts";
import type { Sums } from "#lib/resilience/circuit/traffic.ts";
import type { CircuitPolicy } from "#schemas/config/circuit-breaker.ts";

/**
 * Why a closed circuit has to open; undefined when it has not. `failing` is how many pieces of work
 * failed: one alone, while calls of others succeed, says nothing about the dependency.
 */
export function whyOpen(
  sums: Sums,
  { streak, failing }: { streak: number; failing: number },
  policy: CircuitPolicy,
): Why | undefined {
  const { calls, failures, slow } = sums;
  const of = `of ${calls} calls in ${policy.window_seconds} s`;
  const failing_alone = failing < 2 && calls > failures;
  if (streak >= policy.consecutive_failures_open && !failing_alone) {
    return { code: "CONSECUTIVE_FAILURES", why: `${streak} calls in a row failed` };
  }
  if (calls < policy.calls_min) return undefined;
  if (failures > 0 && failures / calls >= policy.failure_rate_open && !failing_alone) {
    return { code: "FAILURE_RATE", why: `${failures} ${of} failed` };
  }
  if (slow > 0 && slow / calls >= policy.slow_rate_open) {
    return { code: "SLOW_RATE", why: `${slow} ${of} took over ${policy.slow_call_ms} ms` };
  }
  return undefined;
}

/**
 * The share of calls let through while closed, by adaptive throttling over the pooled counts
 * (https://sre.google/sre-book/handling-overload/, "Client-Side Throttling"): with `a` successes
 * among `r` requests, r − K·a of them are too many. What was held back after an outage is none of
 * these: it would be taken for what the dependency cannot do, and hold back ever more.
 */
export function throttledShare(
  { calls, failures, damped }: Pick<Sums, "calls" | "failures" | "damped">,
  policy: CircuitPolicy,
): number {
  const requests = calls + damped;
  if (requests < policy.calls_min) return 1;
  const useful = policy.damping_multiplier * (calls - failures);
  const share = 1 - Math.max(0, (requests - useful) / (requests + 1));
  return Math.max(policy.admission_share_min, share);
}

/** The chance that one more retry is let through: certain within the budget, and over it what keeps to it. */
export function retryChance(
  sums: Sums,
  { ratio, floor_per_minute }: RetryBudget,
  { window_seconds }: CircuitPolicy,
): number {
  const first_tries = Math.max(0, sums.calls + sums.damped + sums.held - sums.retry_calls);
  const allowed = Math.max((floor_per_minute * window_seconds) / 60, ratio * first_tries);
  if (sums.retry_calls >= allowed) return 0;
  return Math.min(1, allowed / Math.max(1, sums.retries));
}
