import { isOutage } from "#lib/platform/errors/disposition-of.ts";
import { type Disposition, Fault } from "#lib/platform/errors/fault.ts";
import type { Lease } from "#lib/resilience/idempotency/claims.ts";
import { backoffMs } from "#lib/resilience/retry/backoff.ts";
import { resumeTime } from "#lib/resilience/retry/resume-time.ts";
import type { RetryPolicy } from "#schemas/config/retry-policy.ts";

/** A try of a step that failed. */
export interface FailedTry {
  disposition: Disposition;
  error: unknown;
  lease: Pick<Lease, "attempt" | "first_attempt_ms" | "parked_at" | "parked_ms">;
}

/** Unix ms. */
export interface Clock {
  now_ms: number;
  deadline_ms: number;
}

export type RetryDecision =
  | { kind: "again"; disposition: "retry" | "throttle" | "park"; retry_at_ms: number }
  | { kind: "end"; because: "terminal" | "reject" | "attempts" | "time"; dead_letter: boolean }
  /** What it has to wait for comes after its deadline. An outage alone dead-letters nothing. */
  | { kind: "end"; because: "deadline"; dead_letter: false };

/**
 * What becomes of a step after a failed try. Parking spends neither attempts nor `total_seconds_max`.
 * A time the dependency asked for is honoured whatever `backoff_ms_max` says, unless it lies beyond
 * the deadline: then the step ends at once. A wait of our own is cut so that one more try fits.
 */
export function decideRetry(
  failed: FailedTry,
  clock: Clock,
  policy: RetryPolicy,
  random: () => number,
): RetryDecision {
  const { disposition, error, lease } = failed;
  const { now_ms, deadline_ms } = clock;
  if (disposition === "terminal") return { kind: "end", because: "terminal", dead_letter: true };
  if (disposition === "reject") return { kind: "end", because: "reject", dead_letter: false };
  const asked_ms = askedTime(error, now_ms);
  if (asked_ms !== undefined && !isSpread(error) && asked_ms >= deadline_ms && now_ms < deadline_ms) {
    return { kind: "end", because: "deadline", dead_letter: false };
  }
  if (disposition === "park") return park(failed, asked_ms, clock, policy, random);

  if (lease.attempt >= policy.attempts_max) return { kind: "end", because: "attempts", dead_letter: true };
  const room_ms = Math.max(0, deadline_ms - now_ms) / 2;
  const own_ms = now_ms + Math.min(room_ms, backoffMs(policy, disposition, lease.attempt, random));
  const last_ms = Math.min(now_ms + room_ms, lastTryTime(failed, policy));
  const retry_at_ms = Math.ceil(Math.max(asked_ms ?? own_ms, last_ms));
  const spent_ms = retry_at_ms - lease.first_attempt_ms - lease.parked_ms;
  if (spent_ms > policy.total_seconds_max * 1000) return { kind: "end", because: "time", dead_letter: true };
  return { kind: "again", disposition, retry_at_ms };
}

/**
 * Unix ms before which the last try is not made when a dependency failed. Five tries may be over in
 * seconds: too soon for anybody to know whether it failed this work alone or is down.
 */
function lastTryTime({ error, lease }: FailedTry, policy: RetryPolicy): number {
  const of_dependency = isOutage(error) || (error instanceof Fault && error.dependency !== undefined);
  if (!of_dependency || lease.attempt < policy.attempts_max - 1) return 0;
  return lease.first_attempt_ms + policy.last_try_seconds_min * 1000;
}

const isSpread = (error: unknown) => error instanceof Fault && error.spread;

function park(
  { error, lease }: FailedTry,
  asked_ms: number | undefined,
  { now_ms, deadline_ms }: Clock,
  policy: RetryPolicy,
  random: () => number,
): RetryDecision {
  if (isSpread(error) && asked_ms !== undefined) {
    const wait_ms = Math.min(asked_ms - now_ms, Math.max(0, deadline_ms - now_ms) / 2);
    return { kind: "again", disposition: "park", retry_at_ms: Math.ceil(now_ms + wait_ms) };
  }
  const until_ms = asked_ms ?? now_ms + backoffMs(policy, "throttle", lease.attempt, random);
  const since_ms = error instanceof Fault ? error.since_ms : undefined;
  const parked_at = lease.parked_at ?? now_ms;
  const retry_at_ms = resumeTime({ now_ms, until_ms, parked_at, since_ms, deadline_ms }, policy, random);
  return { kind: "again", disposition: "park", retry_at_ms };
}

/** Unix ms the error says to come back at; undefined when it says nothing. */
export function askedTime(error: unknown, now_ms: number): number | undefined {
  if (!(error instanceof Fault)) return undefined;
  return (
    error.retry_at_ms ?? (error.retry_after_ms === undefined ? undefined : now_ms + error.retry_after_ms)
  );
}
