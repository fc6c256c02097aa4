import type { Why } from "#lib/circuit/circuit-moves.ts";
import type { RetryBudget } from "#lib/circuit/dependency-guard.ts";
import {
  countedSince,
  partMs,
  partOf,
  type Sums,
  sumsOf,
  sumTraffic,
  type Traffic,
} from "#lib/circuit/traffic.ts";
import type { CircuitPolicy } from "#schemas/config/circuit-breaker.ts";
import type { CircuitRecord } from "#schemas/records/circuit.ts";

/** After an outage: from this share of the rate before it, to this. Twice that rate is never reached. */
const RAMP_FROM = 0.1;
const RAMP_TO = 1.25;
/** A rate this much above the one before the outage is work that was parked meanwhile. */
const BACKLOG = 1.1;
/** After this time everybody knows what everybody counted: a write and a read, each within a second. */
const TOLD_MS = 2000;
/** After this time whoever still asks for more than before has grown. */
const RECOVERY_MS_MAX = 6 * 3_600_000;
/** What may pass in so much time may pass at once, and a call more: calls do not come evenly. */
const AHEAD_MS = 250;

/** Why a closed circuit has to open; undefined when it has not. */
export function whyOpen(sums: Sums, streak: number, policy: CircuitPolicy): Why | undefined {
  const { calls, failures, slow } = sums;
  if (streak >= policy.consecutive_failures_open) {
    return { code: "CONSECUTIVE_FAILURES", why: `${streak} calls in a row failed` };
  }
  if (calls < policy.calls_min) return undefined;
  const of = `of ${calls} calls in ${policy.window_seconds} s`;
  if (failures > 0 && failures / calls >= policy.failure_rate_open) {
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

/** What admission after an outage depends on; undefined when the circuit is not recovering. */
export function rampedShare(
  record: CircuitRecord | undefined,
  traffic: readonly Traffic[],
  policy: CircuitPolicy,
  now: number,
): number | undefined {
  const { closed_at, recovering_until, steady_per_second = 0 } = record ?? {};
  if (closed_at === undefined || recovering_until === undefined) return undefined;
  // To let go while some is held back would send all of it at once.
  const { held } = sumsOf(sumTraffic(traffic, countedSince(now, closed_at, policy)));
  if (now >= recovering_until && (held === 0 || now >= closed_at + RECOVERY_MS_MAX)) return undefined;
  const grown = Math.min(1, (now - closed_at) / (policy.ramp_seconds * 1000));
  const arriving = arrivalsPerSecond(traffic, policy, now);
  // What returns at once is not counted yet: until it is, expect fresh work and as much again.
  const early = now - closed_at < TOLD_MS + 3 * partMs(policy);
  if (grown === 1 && !early && arriving <= BACKLOG * steady_per_second) return 1;
  const expected = early ? Math.max(arriving, 2 * steady_per_second) : arriving;
  const allowed = allowedPerSecond(record, policy, now);
  return expected <= allowed ? 1 : allowed / expected;
}

/**
 * Whether a recovering dependency got all it may, by the calls let through in the present part of the
 * window, and in it and the one before. The share alone lets too many through when more ask than before.
 */
export function rampIsFull(
  record: CircuitRecord | undefined,
  traffic: readonly Traffic[],
  policy: CircuitPolicy,
  now: number,
): boolean {
  const allowed = allowedPerSecond(record, policy, now);
  const part = partOf(now, policy);
  return [part, part - partMs(policy)].some((since) => {
    const from = Math.max(since, record?.closed_at ?? 0);
    return sumsOf(sumTraffic(traffic, since)).passed > (allowed * (now - from + AHEAD_MS)) / 1000;
  });
}

function allowedPerSecond(
  { closed_at = 0, steady_per_second = 0 }: Partial<CircuitRecord> = {},
  policy: CircuitPolicy,
  now: number,
): number {
  const grown = Math.min(1, (now - closed_at) / (policy.ramp_seconds * 1000));
  return steady_per_second * (RAMP_FROM + (RAMP_TO - RAMP_FROM) * grown);
}

/**
 * By the last two whole parts of the window that every environment in trouble has told of: their
 * mean, for chance alone makes a part differ, or the later one when more arrives all the time.
 */
function arrivalsPerSecond(traffic: readonly Traffic[], policy: CircuitPolicy, now: number): number {
  const part_ms = partMs(policy);
  const end = partOf(now - TOLD_MS, policy);
  const perSecond = (parts: number) => {
    const { calls, passed, damped, held } = sumsOf(sumTraffic(traffic, end - parts * part_ms, end));
    return (1000 * (Math.max(calls, passed) + damped + held)) / (parts * part_ms);
  };
  return Math.max(perSecond(1), perSecond(2));
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
