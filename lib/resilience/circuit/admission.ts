import type { CodeOf } from "#lib/platform/errors/codes.ts";
import { Fault, ParkedFault } from "#lib/platform/errors/fault.ts";
import {
  allowanceOf,
  fairChance,
  isAllowanceUsed,
  retryChance,
  throttledShare,
} from "#lib/resilience/circuit/admission-limits.ts";
import { type Totals, tenantSlots } from "#lib/resilience/circuit/call-counts.ts";
import {
  forceInForce,
  probeElected,
  reportTransition,
  type Stamp,
} from "#lib/resilience/circuit/circuit-state.ts";
import { reasonToOpen } from "#lib/resilience/circuit/dependency-failure.ts";
import type { GuardedCall, GuardPorts } from "#lib/resilience/circuit/guarded-call.ts";
import type { SharedCircuit } from "#lib/resilience/circuit/shared-circuit.ts";
import { type ParkedWork, resumeTime } from "#lib/resilience/retry/resume-time.ts";
import type { CircuitRecord, ForcedCircuit } from "#schemas/records/circuit.ts";

/** A call waiting for admission by a circuit breaker. */
export interface AdmissionRequest {
  call: GuardedCall;
  circuit: SharedCircuit;
  ports: GuardPorts;
}

/** How a call is admitted. With neither field: as any call. */
interface Admitted {
  /** After an outage: the slice in which the call is counted. */
  counted_in?: number | undefined;
  /** The call is the probe that decides the circuit's state; this record elected it. */
  probe?: CircuitRecord;
}

/** Clocks differ: for other environments a probe's lease ends this much later. */
const CLOCK_SKEW_MS = 2000;
/** A tenant that asks for more than an equal part leaves this share of the allowance to the others. */
const SHARE_FOR_OTHERS = 0.08;

/** What this call's write of a transition is stamped with. */
export function stampOf({ circuit, ports: { runtime } }: AdmissionRequest): Stamp {
  return { now: runtime.now(), writer: runtime.uuid(), policy_hash: circuit.policy_hash };
}

/** @throws ParkedFault `CIRCUIT_OPEN`, `DEPENDENCY_DAMPED`, `RETRY_BUDGET_SPENT` */
export async function admit(request: AdmissionRequest): Promise<Admitted> {
  const { circuit, ports } = request;
  const { record } = circuit;
  const now = ports.runtime.now();
  const force = forceInForce(record, now);
  if (force?.state === "open") throw circuitForcedOpen(request, force);
  if (force) return {};
  if (circuit.unknown) return admitAlone(request);
  if (!record || record.state === "closed") return admitClosed(request);
  const probe_due =
    record.state === "open"
      ? now >= (record.next_probe_at ?? 0)
      : record.probe_owner === undefined || now >= (record.probe_until ?? 0) + CLOCK_SKEW_MS;
  if (!probe_due) throw circuitOpen(request, record);
  return electProbe(request, record);
}

/** One conditional write elects one call over all environments. */
async function electProbe(request: AdmissionRequest, record: CircuitRecord): Promise<Admitted> {
  const { circuit, ports } = request;
  const { runtime, log, counters } = ports;
  const probe = probeElected(record, circuit.policy, stampOf(request));
  let elected: boolean;
  try {
    elected = await circuit.move(probe);
  } catch (error) {
    const sentence = `no probe of circuit ${circuit.key} could be elected: ${String(error)}`;
    log.warn("CIRCUIT_PROBE_NOT_ELECTED", sentence, { circuit: circuit.key });
    if (circuit.policy.when_unknown === "fail_open" && circuit.unknown) return admitAlone(request);
    throw circuitOpen(request, record);
  }
  if (!elected) {
    // The circuit has closed in the meantime, or another call is the probe.
    if (circuit.record?.state === "closed") return admitClosed(request);
    throw circuitOpen(request, circuit.record ?? record);
  }
  reportTransition(probe, log, counters);
  // A process that was frozen here may have lost its lease: it makes no call.
  if (runtime.now() >= (probe.probe_until ?? 0)) throw circuitOpen(request, probe);
  return { probe };
}

/** Admits retries within their budget, and calls by the admitted share, fairly among tenants. */
async function admitClosed(request: AdmissionRequest): Promise<Admitted> {
  const { circuit, call, ports } = request;
  const { policy } = circuit;
  const { runtime } = ports;
  const is_retry = call.attempt > 1;
  if (is_retry) circuit.count("retries");
  const { totals } = circuit;
  if (is_retry) {
    const share = retryChance(totals, ports.retryBudget(call), policy);
    const chance = fairChance(call.tenant, share, totals);
    if (chance < 1 && runtime.random() >= chance) throw retryBudgetSpent(request, chance);
  }
  const chance = fairChance(call.tenant, throttledShare(totals, policy), totals);
  if (chance < 1 && runtime.random() >= chance) {
    circuit.count("damped", ...tenantSlots(call.tenant));
    throw dependencyDamped(request, chance);
  }
  const counted_in = await useAllowance(request, totals);
  if (is_retry) circuit.count("retry_calls");
  return { counted_in };
}

/**
 * One of the calls that may pass after an outage. It is counted and shared first, and taken back when it was one
 * too many: so all environments together keep to the allowance.
 *
 * @returns the slice it is counted in; undefined when the circuit is not recovering
 * @throws ParkedFault `DEPENDENCY_DAMPED`, `CIRCUIT_OPEN`
 */
async function useAllowance(request: AdmissionRequest, totals: Totals): Promise<number | undefined> {
  const { circuit, call, ports } = request;
  const { policy } = circuit;
  const look = (own: 0 | 1) => {
    const now = ports.runtime.now();
    const counts = circuit.counts();
    const allowance = allowanceOf(circuit.record, counts, policy, now);
    if (!allowance) return undefined;
    const is_modest = fairChance(call.tenant, allowance.share, totals) >= 1;
    const part = { now, own, share: is_modest ? 1 : 1 - SHARE_FOR_OTHERS };
    const used = isAllowanceUsed(allowance, circuit.record, counts, policy, part);
    return { used, share_later: allowance.share_later };
  };
  const refuse = (share: number) => {
    circuit.count("held", ...tenantSlots(call.tenant));
    return dependencyRecovering(request, share);
  };
  const first = look(0);
  if (!first) return undefined;
  if (first.used) throw refuse(first.share_later);
  const slice = circuit.second();
  circuit.countAt(slice, "passed");
  await circuit.share(ports.log, true);
  const { record } = circuit;
  if (record && record.state !== "closed") throw circuitOpen(request, record);
  const second = look(1);
  if (!second?.used) return slice;
  circuit.countAt(slice, "passed", -1);
  await circuit.share(ports.log, true);
  throw refuse(second.share_later);
}

/** Without the shared state: by this environment's own counts, or not at all. */
async function admitAlone(request: AdmissionRequest): Promise<Admitted> {
  const { circuit, ports } = request;
  const { policy } = circuit;
  if (policy.when_unknown === "fail_closed") throw stateUnknown(request);
  if (!reasonToOpen(circuit)) return admitClosed(request);
  const since_failure_ms = ports.runtime.now() - (circuit.failed_at ?? Number.NEGATIVE_INFINITY);
  if (since_failure_ms < policy.open_seconds_base * 1000) throw stateUnknown(request);
  return {};
}

/*
 * The errors of calls that are parked: why, and how long each of them waits. `resumeTime` draws the time.
 */

/** A mean in ms, for a wait from half of it to one and a half times that; or from when on, and how spread out. */
type Wait = number | Pick<ParkedWork, "not_before_ms" | "arrived_after_ms" | "window_ms">;

const WAIT_MS_MIN = 1000;
const DAMPED_WAIT_MS = 4000;
const HELD_WAIT_MS = 8000;
const HELD_WAIT_MS_MAX = 90_000;
/** An operator may end a force at any time: half of the parked calls ask again in this time, all in twice that. */
const FORCED_WAIT_MS = 15_000;

/** The circuit is open, or another call is its probe. */
function circuitOpen(request: AdmissionRequest, record: CircuitRecord): ParkedFault {
  const sentence = `circuit ${request.circuit.key} is open: its dependency fails, and calls wait without losing an attempt until a probe succeeds; see agents circuits`;
  return parked(request, "CIRCUIT_OPEN", sentence, untilProbe(request, record));
}

/** The call was made and failed, and the failure counts against the dependency. */
export function dependencyFailing(request: AdmissionRequest, error: unknown): ParkedFault {
  const { key, record, policy } = request.circuit;
  const message = error instanceof Error ? error.message : String(error);
  const is_closed = record === undefined || record.state === "closed";
  const wait = is_closed ? policy.window_seconds * 1000 : untilProbe(request, record);
  const sentence = `the dependency of circuit ${key} is failing; this failure costs no attempt: ${message}`;
  return parked(request, "DEPENDENCY_FAILING", sentence, wait, error);
}

function circuitForcedOpen(request: AdmissionRequest, { until, why }: ForcedCircuit): ParkedFault {
  const ends_ms = until === null ? Number.POSITIVE_INFINITY : Date.parse(until);
  const not_before_ms = Math.min(ends_ms, request.ports.runtime.now() + FORCED_WAIT_MS);
  const sentence = `an operator holds circuit ${request.circuit.key} open: ${why}; agents circuits reset ends it`;
  return parked(request, "CIRCUIT_OPEN", sentence, { not_before_ms, window_ms: FORCED_WAIT_MS });
}

function stateUnknown(request: AdmissionRequest): ParkedFault {
  const { key, policy } = request.circuit;
  const sentence = `the state of circuit ${key} cannot be read from the table, and its policy parks calls then (when_unknown)`;
  return parked(request, "CIRCUIT_OPEN", sentence, policy.open_seconds_base * 1000);
}

/** The smaller the admitted share, the longer the wait, so that asking stays cheap. */
function dependencyDamped(request: AdmissionRequest, share: number): ParkedFault {
  const sentence = `too many calls through circuit ${request.circuit.key} fail: ${Math.round(share * 100)} % of calls are admitted, and this one waits`;
  return parked(request, "DEPENDENCY_DAMPED", sentence, DAMPED_WAIT_MS / Math.max(0.01, share));
}

/**
 * After an outage more calls ask than may pass. The wait grows with the square of the excess, so that at most one
 * and a half times as many ask in the meantime as may pass, whatever the backlog.
 */
function dependencyRecovering(request: AdmissionRequest, share: number): ParkedFault {
  const wait_ms = Math.min(HELD_WAIT_MS_MAX, HELD_WAIT_MS / Math.max(0.01, share) ** 2);
  const sentence = `the dependency of circuit ${request.circuit.key} has just recovered: the backlog is admitted bit by bit, and this call waits for its turn`;
  return parked(request, "DEPENDENCY_DAMPED", sentence, wait_ms);
}

function retryBudgetSpent(request: AdmissionRequest, chance: number): ParkedFault {
  const sentence = `the retry budget of circuit ${request.circuit.key} is spent: retries are as large a share of the calls as they may be, and this one waits`;
  return parked(request, "RETRY_BUDGET_SPENT", sentence, DAMPED_WAIT_MS / Math.max(0.1, chance));
}

/** Until a probe may have succeeded. Without a known arrival, spread over as long as the outage has lasted. */
function untilProbe({ call, ports }: AdmissionRequest, record: CircuitRecord): Wait {
  const now = ports.runtime.now();
  const not_before_ms = Math.max(record.next_probe_at ?? 0, now + WAIT_MS_MIN);
  const began_at = record.outage_began_at ?? now;
  const { waiting_since_ms } = call;
  return {
    not_before_ms,
    arrived_after_ms: waiting_since_ms && Math.max(WAIT_MS_MIN, waiting_since_ms - began_at),
    window_ms: Math.max(WAIT_MS_MIN, not_before_ms - began_at),
  };
}

/** Waits at most `park_seconds_max`, unless the dependency itself asked for a longer wait. */
function parked(
  { call, circuit, ports }: AdmissionRequest,
  code: CodeOf<"park">,
  sentence: string,
  wait: Wait,
  cause?: unknown,
): ParkedFault {
  const { runtime } = ports;
  const now_ms = runtime.now();
  const latest_ms = now_ms + circuit.policy.park_seconds_max * 1000;
  const work = typeof wait === "number" ? { not_before_ms: now_ms + wait / 2, window_ms: wait } : wait;
  const not_before_ms = Math.min(work.not_before_ms, latest_ms);
  const drawn_ms = resumeTime({ ...work, now_ms, not_before_ms, latest_ms }, runtime.random) - now_ms;
  const requested_ms = cause instanceof Fault ? (cause.retry_after_ms ?? 0) : 0;
  const retry_after_ms = Math.max(WAIT_MS_MIN, requested_ms, drawn_ms);
  return new ParkedFault(code, sentence, {
    cause,
    dependency: call.dependency,
    retry_after_ms,
    spread: true,
  });
}
