import type { Log } from "#lib/platform/log/log.ts";
import { type Counters, PLATFORM_TENANT } from "#lib/platform/metrics/counters.ts";
import { instant } from "#lib/platform/runtime/runtime.ts";
import type { UsualLoad } from "#lib/resilience/circuit/call-counts.ts";
import type { CircuitPolicy } from "#schemas/config/circuit-breaker.ts";
import type { CircuitEvent, CircuitRecord, ForcedCircuit } from "#schemas/records/circuit.ts";

/*
 * The state machine of a circuit. Each function makes the record that follows a transition; the caller writes
 * it on condition that `generation` is still the one it was made from (circuit-table.ts). The same machine as
 * a table of states and events: docs/reference/circuit.md.
 */

/** When a transition is made, by which write, and under which policy. */
export interface Stamp {
  /** Unix time in ms. */
  now: number;
  /** Unique to this write, so that a write whose answer was lost is recognised. */
  writer: string;
  policy_hash: string;
}

/** Why a transition is made. */
export interface Reason {
  /** Stable, as in `FAILURE_RATE`. */
  code: string;
  /** A sentence for people. */
  why: string;
}

const TRAIL_MAX = 10;
const WHY_CHARACTERS_MAX = 500;
const RECOVERY_MS_MAX = 6 * 3_600_000;
const NO_PROBE = { probe_owner: undefined, probe_until: undefined };

/** A circuit that nobody has called through yet. */
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

/** Closed or half open → open. The open time doubles with each opening of the same outage. */
export function opened(
  record: CircuitRecord,
  reason: Reason,
  usual: Partial<UsualLoad>,
  policy: CircuitPolicy,
  stamp: Stamp,
): CircuitRecord {
  const { now } = stamp;
  const same_outage_ms = policy.ramp_seconds * 1000 + openMs(record.opens, policy);
  const same_outage =
    record.state === "half_open" ||
    (record.closed_at !== undefined && now - record.closed_at < same_outage_ms);
  const opens = same_outage ? record.opens + 1 : 1;
  // The load between two openings of one outage is not the usual load: keep what was measured before it.
  const { steady_per_second, steady_in_flight } = same_outage
    ? record
    : { steady_per_second: usual.per_second ?? 0, steady_in_flight: usual.in_flight };
  return {
    ...transition(record, stamp, "opened", reason),
    state: "open",
    opens,
    outage_began_at: same_outage ? (record.outage_began_at ?? now) : now,
    next_probe_at: now + openMs(opens, policy),
    steady_per_second,
    steady_in_flight,
    probes_passed: 0,
    ...NO_PROBE,
    recovering_until: undefined,
  };
}

/** Open, or half open without a live probe → half open, with the call `stamp.writer` as the probe. */
export function probeElected(record: CircuitRecord, policy: CircuitPolicy, stamp: Stamp): CircuitRecord {
  const first = record.state === "open";
  const open_ms = stamp.now - (record.outage_began_at ?? stamp.now);
  const why = `open for ${seconds(open_ms)} s: one call tries the dependency`;
  return {
    ...(first
      ? transition(record, stamp, "half_opened", { code: "PROBE_DUE", why })
      : nextGeneration(record, stamp)),
    state: "half_open",
    next_probe_at: undefined,
    probe_owner: stamp.writer,
    probe_until: stamp.now + policy.probe_lease_seconds * 1000,
    probes_passed: first ? 0 : record.probes_passed,
  };
}

/** Half open → closed when enough probes succeeded; else half open, ready for the next probe. */
export function probeSucceeded(record: CircuitRecord, policy: CircuitPolicy, stamp: Stamp): CircuitRecord {
  const probes_passed = record.probes_passed + 1;
  if (probes_passed < policy.probes_to_close) return { ...probeReleased(record, stamp), probes_passed };
  const { now } = stamp;
  const outage_ms = now - (record.outage_began_at ?? now);
  const few_calls = record.steady_per_second * policy.window_seconds < policy.calls_min;
  const recovery_ms = Math.min(RECOVERY_MS_MAX, policy.ramp_seconds * 1000 + 2 * outage_ms);
  const why = `${probes_passed} of ${policy.probes_to_close} probes succeeded, after an outage of ${seconds(outage_ms)} s`;
  return {
    ...transition(record, stamp, "closed", { code: "PROBE_SUCCEEDED", why }),
    ...NO_PROBE,
    state: "closed",
    probes_passed: 0,
    counted_from: now,
    closed_at: now,
    recovering_until: few_calls || policy.ramp_seconds === 0 ? undefined : now + recovery_ms,
  };
}

/** Half open → half open: the probe ended without evidence about the dependency; the next call may be one. */
export function probeReleased(record: CircuitRecord, stamp: Stamp): CircuitRecord {
  return { ...nextGeneration(record, stamp), ...NO_PROBE };
}

/** Any state: an operator's force takes precedence over the state until it ends. */
export function forced(record: CircuitRecord, force: ForcedCircuit, stamp: Stamp): CircuitRecord {
  const event = force.state === "open" ? "forced_open" : "forced_closed";
  const why = `${force.by}: ${force.why}`;
  return { ...transition(record, stamp, event, { code: "OPERATOR", why }), forced: force };
}

/** Any state → closed, with nothing counted and no force. */
export function reset(
  record: CircuitRecord,
  { by, why }: { by: string; why: string },
  stamp: Stamp,
): CircuitRecord {
  return {
    ...transition(record, stamp, "reset", { code: "OPERATOR", why: `${by}: ${why}` }),
    ...NO_PROBE,
    state: "closed",
    opens: 0,
    counted_from: stamp.now,
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

/** The operator's force when it has not ended yet. */
export function forceInForce(record: CircuitRecord | undefined, now: number): ForcedCircuit | undefined {
  const force = record?.forced;
  return force && (force.until === null || Date.parse(force.until) > now) ? force : undefined;
}

const SENTENCES: Record<CircuitEvent, string> = {
  opened: "opened; calls are parked",
  half_opened: "half opened; one call probes the dependency",
  closed: "closed; calls are admitted again",
  forced_open: "forced open by an operator; calls are parked",
  forced_closed: "forced closed by an operator; all calls are admitted",
  reset: "reset by an operator",
};

/** Logs and counts the transition that led to `record`, as `CIRCUIT_OPENED` and `circuit_opened`. */
export function reportTransition(record: CircuitRecord, log: Log, counters: Counters | undefined): void {
  const last = record.trail.at(-1);
  if (last?.generation !== record.generation) return; // no state was left, as when a probe is released
  const { event, code, why, generation, policy_hash } = last;
  const { key, opens, next_probe_at } = record;
  const metric = `circuit_${event}` as const;
  counters?.count(metric, record.tenant ?? PLATFORM_TENANT);
  const level = event === "opened" || event === "forced_open" ? "warn" : "info";
  log[level](
    metric.toUpperCase() as Uppercase<typeof metric>,
    `circuit ${key} ${SENTENCES[event]} (${why})`,
    {
      circuit: key,
      why: code,
      generation,
      opens,
      ...(next_probe_at !== undefined && { next_probe_at: instant(next_probe_at) }),
      policy_hash,
    },
  );
}

function transition(record: CircuitRecord, stamp: Stamp, event: CircuitEvent, reason: Reason): CircuitRecord {
  const next = nextGeneration(record, stamp);
  const entry = {
    event,
    at: instant(stamp.now),
    code: reason.code,
    why: reason.why.slice(0, WHY_CHARACTERS_MAX),
    generation: next.generation,
    policy_hash: stamp.policy_hash,
  };
  return { ...next, trail: [...record.trail, entry].slice(-TRAIL_MAX) };
}

/** Every write of a state ends the streak of failures and makes older writes void. */
function nextGeneration(record: CircuitRecord, { writer }: Stamp): CircuitRecord {
  return { ...record, generation: record.generation + 1, writer, streak: 0 };
}

function openMs(opens: number, { open_seconds_base, open_seconds_max }: CircuitPolicy): number {
  return Math.min(open_seconds_max, open_seconds_base * 2 ** Math.max(0, Math.min(30, opens - 1))) * 1000;
}

function seconds(ms: number): string {
  return (Math.max(0, ms) / 1000).toFixed(1);
}
