import { instant } from "#lib/platform/runtime/runtime.ts";
import type { Usual } from "#lib/resilience/circuit/well-rate.ts";
import type { CircuitPolicy } from "#schemas/config/circuit-breaker.ts";
import type { CircuitEvent, CircuitRecord, ForcedCircuit } from "#schemas/records/circuit.ts";

/** When, by whom and under which policy a transition is made. */
export interface Stamp {
  /** Unix time in ms. */
  now: number;
  /** Names this write, so that it is known again. */
  writer: string;
  policy_hash: string;
}

export interface Why {
  /** Stable, as in `FAILURE_RATE`. */
  code: string;
  why: string;
}

const TRAIL_MAX = 10;
const RECOVERY_MS_MAX = 6 * 3_600_000;

export function newCircuit(
  { key, tenant }: Pick<CircuitRecord, "key" | "tenant">,
  now: number,
): CircuitRecord {
  return {
    key,
    ...(tenant !== undefined && { tenant }),
    state: "closed",
    generation: 0,
    writer: "",
    streak: 0,
    opens: 0,
    counted_from: 0,
    probes_passed: 0,
    steady_per_second: 0,
    trail: [],
    expires_at: Math.ceil(now / 1000),
  };
}

/** Stops calls for a time that doubles with each opening in a row. */
export function opened(
  record: CircuitRecord,
  { code, why }: Why,
  usual: Partial<Usual>,
  policy: CircuitPolicy,
  stamp: Stamp,
): CircuitRecord {
  const { now } = stamp;
  const lately_ms = policy.ramp_seconds * 1000 + openMs(record.opens, policy);
  const again =
    record.state === "half_open" || (record.closed_at !== undefined && now - record.closed_at < lately_ms);
  const opens = again ? record.opens + 1 : 1;
  // What is counted between two openings of one outage is not what is usual.
  const { steady_per_second, steady_in_flight } = again
    ? record
    : { steady_per_second: usual.per_second ?? 0, steady_in_flight: usual.in_flight };
  return {
    ...moved(record, stamp, { event: "opened", code, why }),
    state: "open",
    opens,
    outage_began_at: again ? (record.outage_began_at ?? now) : now,
    next_probe_at: now + openMs(opens, policy),
    steady_per_second,
    steady_in_flight,
    probes_passed: 0,
    ...NO_PROBE,
    recovering_until: undefined,
  };
}

/** Elects `stamp.writer` to make the one call that may pass. */
export function halfOpened(record: CircuitRecord, policy: CircuitPolicy, stamp: Stamp): CircuitRecord {
  const event = record.state === "open" ? "half_opened" : undefined;
  const why = `open for ${seconds(stamp.now - (record.outage_began_at ?? stamp.now))} s: one call tries the dependency`;
  return {
    ...moved(record, stamp, event && { event, code: "PROBE_DUE", why }),
    state: "half_open",
    next_probe_at: undefined,
    probe_owner: stamp.writer,
    probe_until: stamp.now + policy.probe_lease_seconds * 1000,
    probes_passed: event ? 0 : record.probes_passed,
  };
}

/** The probe is over: it proved something, or (when told apart) nothing. */
export function probePassed(record: CircuitRecord, policy: CircuitPolicy, stamp: Stamp): CircuitRecord {
  const probes_passed = record.probes_passed + 1;
  if (probes_passed < policy.probes_to_close) return { ...moved(record, stamp), ...NO_PROBE, probes_passed };
  const { now } = stamp;
  const outage_ms = now - (record.outage_began_at ?? now);
  const small = record.steady_per_second * policy.window_seconds < policy.calls_min;
  const recovery_ms = Math.min(RECOVERY_MS_MAX, policy.ramp_seconds * 1000 + 2 * outage_ms);
  const why = `${probes_passed} of ${policy.probes_to_close} probes succeeded, after an outage of ${seconds(outage_ms)} s`;
  return {
    ...moved(record, stamp, { event: "closed", code: "PROBE_SUCCEEDED", why }),
    ...NO_PROBE,
    state: "closed",
    probes_passed: 0,
    counted_from: now,
    closed_at: now,
    recovering_until: small || policy.ramp_seconds === 0 ? undefined : now + recovery_ms,
  };
}

/** The probe ended without a word about the dependency: the next call may be one. */
export function probeFreed(record: CircuitRecord, stamp: Stamp): CircuitRecord {
  return { ...moved(record, stamp), ...NO_PROBE };
}

export function forced(record: CircuitRecord, force: ForcedCircuit, stamp: Stamp): CircuitRecord {
  const event = force.state === "open" ? "forced_open" : "forced_closed";
  return {
    ...moved(record, stamp, { event, code: "OPERATOR", why: `${force.by}: ${force.why}` }),
    forced: force,
  };
}

/** Closed and forgotten, as if nothing had happened. */
export function reset(
  record: CircuitRecord,
  { by, why }: { by: string; why: string },
  stamp: Stamp,
): CircuitRecord {
  const { now } = stamp;
  return {
    ...moved(record, stamp, { event: "reset", code: "OPERATOR", why: `${by}: ${why}` }),
    ...NO_PROBE,
    state: "closed",
    opens: 0,
    counted_from: now,
    probes_passed: 0,
    steady_per_second: 0,
    steady_in_flight: undefined,
    outage_began_at: undefined,
    next_probe_at: undefined,
    closed_at: undefined,
    recovering_until: undefined,
    forced: undefined,
  };
}

/** An operator's word that still counts. */
export function forceInForce(record: CircuitRecord | undefined, now: number): ForcedCircuit | undefined {
  const force = record?.forced;
  return force && (force.until === null || Date.parse(force.until) > now) ? force : undefined;
}

const NO_PROBE = { probe_owner: undefined, probe_until: undefined };

function moved(
  record: CircuitRecord,
  { now, writer, policy_hash }: Stamp,
  transition?: Why & { event: CircuitEvent },
): CircuitRecord {
  const generation = record.generation + 1;
  const { event, code, why } = transition ?? {};
  const trail =
    event && code
      ? [
          ...record.trail,
          { event, at: instant(now), code, why: (why ?? "").slice(0, 500), generation, policy_hash },
        ]
      : record.trail;
  return { ...record, generation, writer, streak: 0, trail: trail.slice(-TRAIL_MAX) };
}

function openMs(opens: number, { open_seconds_base, open_seconds_max }: CircuitPolicy): number {
  return Math.min(open_seconds_max, open_seconds_base * 2 ** Math.max(0, Math.min(30, opens - 1))) * 1000;
}

function seconds(ms: number): string {
  return (Math.max(0, ms) / 1000).toFixed(1);
}
