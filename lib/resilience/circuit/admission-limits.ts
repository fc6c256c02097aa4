import {
  type CallCounts,
  SLOTS,
  secondAt,
  sliceAt,
  sliceMs,
  TENANT_ROW,
  type Totals,
  tenantSlots,
  totalsOf,
  windowStart,
} from "#lib/resilience/circuit/call-counts.ts";
import type { RetryBudget } from "#lib/resilience/circuit/guarded-call.ts";
import type { CircuitPolicy } from "#schemas/config/circuit-breaker.ts";
import type { CircuitRecord } from "#schemas/records/circuit.ts";

/*
 * How many calls a closed circuit admits: while calls fail (throttling), of retries (the budget), of one tenant
 * (the fair share), and after an outage (the allowance).
 */

/**
 * The share of calls admitted while calls fail, by adaptive throttling over the pooled counts
 * (https://sre.google/sre-book/handling-overload/, "Client-Side Throttling"): of `r` requests, of which `a`
 * succeed, r − K·a are refused. Calls held back after an outage are no requests here: they say nothing about
 * what the dependency can do.
 */
export function throttledShare(
  { calls, failures, damped }: Pick<Totals, "calls" | "failures" | "damped">,
  policy: CircuitPolicy,
): number {
  const requests = calls + damped;
  if (requests < policy.calls_min) return 1;
  const accepted = policy.damping_multiplier * (calls - failures);
  const share = 1 - Math.max(0, (requests - accepted) / (requests + 1));
  return Math.max(policy.admission_share_min, share);
}

/** The chance that one more retry is admitted: 1 within the budget, 0 when it is spent. */
export function retryChance(
  { calls, damped, held, retries, retry_calls }: Totals,
  { ratio, floor_per_minute }: RetryBudget,
  { window_seconds }: CircuitPolicy,
): number {
  const first_attempts = Math.max(0, calls + damped + held - retry_calls);
  const budget = Math.max((floor_per_minute * window_seconds) / 60, ratio * first_attempts);
  if (retry_calls >= budget) return 0;
  return Math.min(1, budget / Math.max(1, retries));
}

/**
 * The chance that this tenant's next call is admitted when `share` (0 to 1) of all calls is. Max-min fair: a tenant
 * that asks for less than an equal part gets all of it; the rest is divided among those that ask for more.
 */
export function fairChance(tenant: string, share: number, { slots }: Totals): number {
  if (share >= 1) return 1;
  const asked = Array.from({ length: SLOTS }, (_, slot) => slots.get(`${TENANT_ROW}${slot}`) ?? 0);
  const [one, other] = tenantSlots(tenant);
  const own = 1 + Math.min(slots.get(one) ?? 0, slots.get(other) ?? 0);
  const total = asked.reduce((sum, amount) => sum + amount, 0);
  if (total === 0) return share;
  return Math.max(0, Math.min(1, fairLevel(asked, share * total) / own));
}

/** The most that anyone gets when `capacity` is divided max-min fairly. */
export function fairLevel(asked: readonly number[], capacity: number): number {
  const ascending = asked.filter((amount) => amount > 0).sort((a, b) => a - b);
  let left = capacity;
  for (const [index, amount] of ascending.entries()) {
    const equal_part = left / (ascending.length - index);
    if (amount > equal_part) return equal_part;
    left -= amount;
  }
  return Number.POSITIVE_INFINITY;
}

/** After an outage admission grows from this share of the usual load to this multiple of it. */
const RAMP_FROM = 0.1;
const RAMP_TO = 1.7;
/** The multiple when the usual number of calls in flight is unknown: then nothing shows an overload in time. */
const RAMP_TO_UNMEASURED = 1.25;
/** The number of calls in flight varies by chance, more than the rate of arrivals. */
const IN_FLIGHT_SLACK = 1.2;
/** A call counts as in flight for so much longer: its start is shared before it begins, its end after it ended. */
const SHARING_SECONDS = 0.25;
/** After this time every environment knows what all have counted: a write and a read, each within a second. */
const SHARED_MS = 2000;
/** After this time more demand than before the outage is growth, not backlog. */
const RECOVERY_MS_MAX = 6 * 3_600_000;
/** Calls do not arrive evenly: what may pass in this time, and one call more, may pass at once. */
const AHEAD_MS = 250;
/** The rate is kept over each of these spans. What was not used in one is not made up for in a burst. */
const RATE_SPANS_SECONDS = [1, 5];

/** What a dependency is given after an outage, over all environments. */
interface Allowance {
  /** Calls admitted now. */
  per_second: number;
  /**
   * Calls in flight at a time. By Little's law this equals the rate while calls take as long as usual; when the
   * dependency is slower, it limits the rate to what the dependency can do, before anything fails.
   */
  in_flight: number;
  /** The share of the calls that ask which may pass now; 1 when all may. */
  share: number;
  /** The same when admission has grown: it decides how long a call that is held back waits. */
  share_later: number;
}

/** Undefined when the circuit is not recovering from an outage. */
export function allowanceOf(
  record: CircuitRecord | undefined,
  counts: readonly CallCounts[],
  policy: CircuitPolicy,
  now: number,
): Allowance | undefined {
  const { closed_at, recovering_until, steady_per_second = 0, steady_in_flight } = record ?? {};
  if (closed_at === undefined || recovering_until === undefined) return undefined;
  // While calls are still held back, an end of the recovery would admit all of them at once.
  const { held } = totalsOf(counts, windowStart(now, closed_at, policy));
  if (now >= recovering_until && (held === 0 || now >= closed_at + RECOVERY_MS_MAX)) return undefined;
  const grown = RAMP_FROM + ((1 - RAMP_FROM) * (now - closed_at)) / (policy.ramp_seconds * 1000);
  const most = steady_in_flight === undefined ? RAMP_TO_UNMEASURED : RAMP_TO;
  const factor = Math.min(grown, most);
  const arriving = arrivalsPerSecond(counts, policy, now);
  // Work that returns at once is not counted yet: until it is, expect new work and as much returning work.
  const early = now - closed_at < SHARED_MS + 3 * sliceMs(policy);
  const asking = early ? Math.max(arriving, 2 * steady_per_second) : arriving;
  const shareOf = (per_second: number) => (asking <= per_second ? 1 : per_second / asking);
  return {
    per_second: factor * steady_per_second,
    in_flight:
      steady_in_flight === undefined
        ? Number.POSITIVE_INFINITY
        : IN_FLIGHT_SLACK * factor * (steady_in_flight + SHARING_SECONDS * steady_per_second),
    share: shareOf(factor * steady_per_second),
    share_later: shareOf(most * steady_per_second),
  };
}

/**
 * Whether no more calls may pass now. `own` of the calls counted is the caller's. `share` is the part of the
 * allowance this caller may use.
 */
export function isAllowanceUsed(
  { per_second, in_flight }: Allowance,
  record: CircuitRecord | undefined,
  counts: readonly CallCounts[],
  policy: CircuitPolicy,
  { now, own, share }: { now: number; own: 0 | 1; share: number },
): boolean {
  const closed_at = record?.closed_at ?? 0;
  const too_fast = RATE_SPANS_SECONDS.some((seconds) => {
    const from = Math.max(secondAt(now) - (seconds - 1) * 1000, closed_at);
    const { passed } = totalsOf(counts, from);
    return passed - own > (share * per_second * (now - from + AHEAD_MS)) / 1000;
  });
  if (too_fast) return true;
  const { passed, ended } = totalsOf(counts, windowStart(now, closed_at, policy));
  return passed - ended - own >= Math.max(1, share * in_flight);
}

/**
 * By the last two whole slices that every environment in trouble has shared: their mean, for one slice alone
 * varies by chance, or the later one while arrivals grow.
 */
function arrivalsPerSecond(counts: readonly CallCounts[], policy: CircuitPolicy, now: number): number {
  const slice_ms = sliceMs(policy);
  const end = sliceAt(now - SHARED_MS, policy);
  const perSecond = (slices: number) => {
    const { calls, passed, damped, held } = totalsOf(counts, end - slices * slice_ms, end);
    return (1000 * (Math.max(calls, passed) + damped + held)) / (slices * slice_ms);
  };
  return Math.max(perSecond(1), perSecond(2));
}
