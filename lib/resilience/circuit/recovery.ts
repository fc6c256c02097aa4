import {
  countedSince,
  partMs,
  partOf,
  secondOf,
  sumsOf,
  sumTraffic,
  type Traffic,
} from "#lib/resilience/circuit/traffic.ts";
import type { CircuitPolicy } from "#schemas/config/circuit-breaker.ts";
import type { CircuitRecord } from "#schemas/records/circuit.ts";

/** After an outage: from this share of what was usual before it, to this. Twice that is never reached. */
const RAMP_FROM = 0.1;
const RAMP_TO = 1.7;
/** So far when it is not known how many calls were under way at a time: then nothing tells of overload. */
const RAMP_TO_BLIND = 1.25;
/** What is under way varies by chance, more than what arrives. */
const IN_FLIGHT_SLACK = 1.2;
/** A call counts as under way for so much longer: it is told before it is made and after it has ended. */
const TELLING_SECONDS = 0.25;
/** After this time everybody knows what everybody counted: a write and a read, each within a second. */
const TOLD_MS = 2000;
/** After this time whoever still asks for more than before has grown. */
const RECOVERY_MS_MAX = 6 * 3_600_000;
/** What may pass in so much time may pass at once, and a call more: calls do not come evenly. */
const AHEAD_MS = 250;
/** The rate is kept over this second and over so many: what was not used is not made up for in a burst. */
const SECONDS = [1, 5];

/** What a dependency gets after an outage, over all environments. */
export interface Allowance {
  /** Calls let through now, and when admission has grown. */
  per_second: number;
  per_second_later: number;
  /**
   * Calls under way at a time. By Little's law that is the rate while calls take as long as usual; when
   * the dependency slows down it holds the rate to what is done, before anything fails.
   */
  in_flight: number;
  /** Calls asked for by all. */
  asked_per_second: number;
}

/** Undefined when the circuit is not recovering. */
export function allowanceOf(
  record: CircuitRecord | undefined,
  traffic: readonly Traffic[],
  policy: CircuitPolicy,
  now: number,
): Allowance | undefined {
  const { closed_at, recovering_until, steady_per_second = 0, steady_in_flight } = record ?? {};
  if (closed_at === undefined || recovering_until === undefined) return undefined;
  // To let go while some is held back would send all of it at once.
  const { held } = sumsOf(sumTraffic(traffic, countedSince(now, closed_at, policy)));
  if (now >= recovering_until && (held === 0 || now >= closed_at + RECOVERY_MS_MAX)) return undefined;
  const grown = RAMP_FROM + ((1 - RAMP_FROM) * (now - closed_at)) / (policy.ramp_seconds * 1000);
  const most = steady_in_flight === undefined ? RAMP_TO_BLIND : RAMP_TO;
  const factor = Math.min(grown, most);
  const arriving = arrivalsPerSecond(traffic, policy, now);
  // What returns at once is not counted yet: until it is, expect fresh work and as much again.
  const early = now - closed_at < TOLD_MS + 3 * partMs(policy);
  return {
    per_second: factor * steady_per_second,
    per_second_later: most * steady_per_second,
    in_flight:
      steady_in_flight === undefined
        ? Number.POSITIVE_INFINITY
        : IN_FLIGHT_SLACK * factor * (steady_in_flight + TELLING_SECONDS * steady_per_second),
    asked_per_second: early ? Math.max(arriving, 2 * steady_per_second) : arriving,
  };
}

/** Of all calls asked for while recovering, those that may pass; 1 when nothing is left over. */
export function allowedShare({ per_second, asked_per_second }: Allowance): number {
  return asked_per_second <= per_second ? 1 : per_second / asked_per_second;
}

/** The same once admission has grown: how long what is held back has to wait. */
export function laterShare({ per_second_later, asked_per_second }: Allowance): number {
  return asked_per_second <= per_second_later ? 1 : per_second_later / asked_per_second;
}

/**
 * Whether a recovering dependency has all it may: `own` passes of the caller's are among those counted.
 * Whoever asks for more than others leaves them some room, by `share` of the allowance.
 */
export function isFull(
  { per_second, in_flight }: Allowance,
  record: CircuitRecord | undefined,
  traffic: readonly Traffic[],
  policy: CircuitPolicy,
  { now, own, share }: { now: number; own: 0 | 1; share: number },
): boolean {
  const closed_at = record?.closed_at ?? 0;
  const too_fast = SECONDS.some((seconds) => {
    const from = Math.max(secondOf(now) - (seconds - 1) * 1000, closed_at);
    const { passed } = sumsOf(sumTraffic(traffic, from));
    return passed - own > (share * per_second * (now - from + AHEAD_MS)) / 1000;
  });
  if (too_fast) return true;
  const { passed, ended } = sumsOf(sumTraffic(traffic, countedSince(now, closed_at, policy)));
  return passed - ended - own >= Math.max(1, share * in_flight);
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
