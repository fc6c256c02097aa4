import { retryChance, throttledShare, whyOpen } from "#lib/resilience/circuit/admission.ts";
import { announce } from "#lib/resilience/circuit/announce.ts";
import { type Asking, parkingOf } from "#lib/resilience/circuit/asking.ts";
import { failingWorks } from "#lib/resilience/circuit/blame.ts";
import { forceInForce, halfOpened } from "#lib/resilience/circuit/circuit-moves.ts";
import { fairChance, tenantSlots } from "#lib/resilience/circuit/fair-share.ts";
import {
  circuitForcedOpen,
  circuitOpen,
  dependencyDamped,
  retryBudgetSpent,
  stateUnknown,
} from "#lib/resilience/circuit/parking.ts";
import { takePass } from "#lib/resilience/circuit/pass.ts";
import { allowanceOf } from "#lib/resilience/circuit/recovery.ts";
import { sumsOf } from "#lib/resilience/circuit/traffic.ts";
import type { CircuitRecord } from "#schemas/records/circuit.ts";

/**
 * How it may pass: as any call, after an outage with a pass of a certain second, or as the elected probe
 * that decides the circuit's state.
 */
export type Admission = { kind: "call"; pass?: number } | { kind: "probe"; record: CircuitRecord };

/** Clocks differ: a probe's lease counts as ended this much later for everybody else. */
const CLOCK_SKEW_MS = 2000;

/** @throws ParkedFault `CIRCUIT_OPEN`, `DEPENDENCY_DAMPED`, `RETRY_BUDGET_SPENT` */
export async function admit(asking: Asking): Promise<Admission> {
  const { circuit, ports } = asking;
  const parking = parkingOf(asking);
  const now = ports.runtime.now();
  const force = forceInForce(circuit.record, now);
  if (force?.state === "open") throw circuitForcedOpen(force, parking);
  if (force?.state === "closed") return { kind: "call" };
  if (circuit.unknown) return admitAlone(asking);
  const { record } = circuit;
  if (!record || record.state === "closed") return admitClosed(asking);
  const due =
    record.state === "open"
      ? now >= (record.next_probe_at ?? 0)
      : record.probe_owner === undefined || now >= (record.probe_until ?? 0) + CLOCK_SKEW_MS;
  if (!due) throw circuitOpen(record, parking);
  return electProbe(record, asking);
}

/** One conditional write elects one call over all environments. */
async function electProbe(record: CircuitRecord, asking: Asking): Promise<Admission> {
  const { circuit, policy, policy_hash, ports } = asking;
  const { runtime, log, counters } = ports;
  const parking = parkingOf(asking);
  const next = halfOpened(record, policy, { now: runtime.now(), writer: runtime.uuid(), policy_hash });
  let elected: boolean;
  try {
    elected = await circuit.move(next);
  } catch (error) {
    log.warn("CIRCUIT_PROBE_NOT_ELECTED", `no probe of ${circuit.key} could be elected: ${String(error)}`, {
      circuit: circuit.key,
    });
    if (policy.when_unknown === "fail_open" && circuit.unknown) return admitAlone(asking);
    throw circuitOpen(record, parking);
  }
  if (!elected) {
    // It has closed meanwhile, or another call is the probe.
    if (circuit.record?.state === "closed") return admitClosed(asking);
    throw circuitOpen(circuit.record ?? record, parking);
  }
  announce(next, log, counters);
  // A process that was frozen here may no longer be the probe: it does not even try.
  if (runtime.now() >= (next.probe_until ?? 0)) throw circuitOpen(next, parking);
  return { kind: "probe", record: next };
}

/** Retries within their budget, then all calls by the share that is let through, fairly by tenant. */
async function admitClosed(asking: Asking): Promise<Admission> {
  const { circuit, request, policy, ports } = asking;
  const { runtime } = ports;
  const parking = parkingOf(asking);
  const retrying = request.attempt > 1;
  if (retrying) circuit.count(policy, "retries");
  const counts = circuit.counts(policy);
  const sums = sumsOf(counts);
  if (retrying) {
    const share = retryChance(sums, ports.retryBudget(request), policy);
    const chance = fairChance(request.tenant, share, counts);
    if (chance < 1 && runtime.random() >= chance) throw retryBudgetSpent(chance, parking);
  }
  const chance = fairChance(request.tenant, throttledShare(sums, policy), counts);
  if (chance < 1 && runtime.random() >= chance) {
    circuit.count(policy, "damped", ...tenantSlots(request.tenant));
    throw dependencyDamped(chance, parking);
  }
  const allowance = allowanceOf(circuit.record, circuit.traffic(), policy, runtime.now());
  const pass = allowance && (await takePass(asking, counts));
  if (retrying) circuit.count(policy, "retry_calls");
  return { kind: "call", ...(pass !== undefined && { pass }) };
}

/** Without the shared state: by this environment's own counts, or not at all. */
async function admitAlone(asking: Asking): Promise<Admission> {
  const { circuit, policy, ports } = asking;
  if (policy.when_unknown === "fail_closed") throw stateUnknown(parkingOf(asking));
  const counts = circuit.counts(policy);
  const seen = { streak: circuit.streak, failing: failingWorks(counts) };
  const stopped = whyOpen(sumsOf(counts), seen, policy);
  const since_failure_ms = ports.runtime.now() - (circuit.local.failed_at ?? Number.NEGATIVE_INFINITY);
  if (stopped && since_failure_ms < policy.open_seconds_base * 1000) throw stateUnknown(parkingOf(asking));
  return stopped ? { kind: "call" } : admitClosed(asking);
}
