import { isServiceUnavailable } from "#lib/platform/errors/disposition-of.ts";
import { type Disposition, Fault } from "#lib/platform/errors/fault.ts";
import type { Lease } from "#lib/resilience/idempotency/step-claims.ts";
import { backoffMs } from "#lib/resilience/retry/backoff.ts";
import { type ParkedWork, resumeTime } from "#lib/resilience/retry/resume-time.ts";
import type { RetryPolicy } from "#schemas/config/retry-policy.ts";

/** An attempt of a step that failed. */
export interface FailedAttempt {
  disposition: Disposition;
  error: unknown;
  lease: Pick<Lease, "attempt" | "first_attempt_ms" | "parked_at" | "parked_ms">;
}

/** Unix ms. */
export interface RetryClock {
  now_ms: number;
  /** Of the task: nothing is tried after it. */
  deadline_ms: number;
}

export type RetryDecision =
  | { kind: "again"; disposition: "retry" | "throttle" | "park"; retry_at_ms: number }
  | { kind: "end"; because: "terminal" | "reject" | "attempts" | "time"; dead_letter: boolean }
  /** The dependency refuses work until after the deadline. An outage alone never leads to the DLQ. */
  | { kind: "end"; because: "deadline"; dead_letter: false };

/** The longest window that work is spread over when it is parked again and again for moments. */
const WINDOW_MS_MAX = 300_000;

/**
 * What becomes of a step after a failed attempt. Parking spends neither attempts nor `total_seconds_max`.
 * A wait that the dependency asked for is honoured even above `backoff_ms_max`; when it ends after the
 * deadline, the step ends at once. A back-off of our own is cut so that one more attempt fits before the
 * deadline.
 */
export function decideRetry(
  failed: FailedAttempt,
  clock: RetryClock,
  policy: RetryPolicy,
  random: () => number,
): RetryDecision {
  const { disposition, error, lease } = failed;
  const { now_ms, deadline_ms } = clock;
  if (disposition === "terminal") return { kind: "end", because: "terminal", dead_letter: true };
  if (disposition === "reject") return { kind: "end", because: "reject", dead_letter: false };
  const requested_ms = requestedTime(error, now_ms);
  if (requested_ms !== undefined && !isSpread(error) && requested_ms >= deadline_ms && now_ms < deadline_ms) {
    return { kind: "end", because: "deadline", dead_letter: false };
  }
  if (disposition === "park") return park(failed, requested_ms, clock, policy, random);

  if (lease.attempt >= policy.attempts_max) return { kind: "end", because: "attempts", dead_letter: true };
  const room_ms = Math.max(0, deadline_ms - now_ms) / 2;
  const own_ms = now_ms + Math.min(room_ms, backoffMs(policy, disposition, lease.attempt, random));
  const last_ms = Math.min(now_ms + room_ms, lastAttemptTime(failed, policy));
  const retry_at_ms = Math.ceil(Math.max(requested_ms ?? own_ms, last_ms));
  const spent_ms = retry_at_ms - lease.first_attempt_ms - lease.parked_ms;
  if (spent_ms > policy.total_seconds_max * 1000) return { kind: "end", because: "time", dead_letter: true };
  return { kind: "again", disposition, retry_at_ms };
}

/**
 * Unix ms before which the last attempt is not made when a dependency failed. Five attempts may be over in
 * seconds, too soon to know whether the dependency failed this work alone or is down for all.
 */
function lastAttemptTime({ error, lease }: FailedAttempt, policy: RetryPolicy): number {
  const by_dependency =
    isServiceUnavailable(error) ||
    (error instanceof Fault && error.dependency !== undefined && !error.dependency_answered);
  if (!by_dependency || lease.attempt < policy.attempts_max - 1) return 0;
  return lease.first_attempt_ms + policy.last_try_seconds_min * 1000;
}

/** Whether the error's wait was drawn with `resumeTime` already, as a circuit does it. */
const isSpread = (error: unknown) => error instanceof Fault && error.spread;

/** At most half of the time until the deadline is spent on spreading the returns. */
function park(
  { error, lease }: FailedAttempt,
  requested_ms: number | undefined,
  { now_ms, deadline_ms }: RetryClock,
  policy: RetryPolicy,
  random: () => number,
): RetryDecision {
  if (isSpread(error) && requested_ms !== undefined) {
    const wait_ms = Math.min(requested_ms - now_ms, Math.max(0, deadline_ms - now_ms) / 2);
    return { kind: "again", disposition: "park", retry_at_ms: Math.ceil(now_ms + wait_ms) };
  }
  const free_ms = requested_ms ?? now_ms + backoffMs(policy, "throttle", lease.attempt, random);
  const not_before_ms = Math.max(now_ms, free_ms);
  const since_ms = error instanceof Fault ? error.since_ms : undefined;
  const parked_at = lease.parked_at ?? now_ms;
  const ratio = policy.park_spread_ratio;
  const kept_away_ms = Math.min(not_before_ms - parked_at, WINDOW_MS_MAX);
  const work: ParkedWork = {
    now_ms,
    not_before_ms,
    arrived_after_ms: since_ms === undefined ? undefined : ratio * Math.max(0, parked_at - since_ms),
    window_ms: ratio * Math.max(0, not_before_ms - now_ms, kept_away_ms),
    latest_ms: not_before_ms + Math.max(0, deadline_ms - not_before_ms) / 2,
  };
  return { kind: "again", disposition: "park", retry_at_ms: resumeTime(work, random) };
}

/** Unix ms at which the error asks to be tried again; undefined when it asks for no time. */
export function requestedTime(error: unknown, now_ms: number): number | undefined {
  if (!(error instanceof Fault)) return undefined;
  return (
    error.retry_at_ms ?? (error.retry_after_ms === undefined ? undefined : now_ms + error.retry_after_ms)
  );
}
