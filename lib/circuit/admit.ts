import { rampedShare, rampIsFull, retryChance, throttledShare, whyOpen } from "#lib/circuit/admission.ts";
import { announce } from "#lib/circuit/announce.ts";
import { forceInForce, halfOpened } from "#lib/circuit/circuit-moves.ts";
import type { GuardedCall, GuardPorts } from "#lib/circuit/dependency-guard.ts";
import { fairChance, tenantSlots } from "#lib/circuit/fair-share.ts";
import {
  circuitForcedOpen,
  circuitOpen,
  dependencyDamped,
  retryBudgetSpent,
  stateUnknown,
} from "#lib/circuit/parking.ts";
import type { SharedCircuit } from "#lib/circuit/shared-circuit.ts";
import { sumsOf } from "#lib/circuit/traffic.ts";
import type { CircuitPolicy } from "#schemas/config/circuit-breaker.ts";
import type { CircuitRecord } from "#schemas/records/circuit.ts";

/** One call at the door of one circuit, under the policy as it stands. */
export interface Asking {
  request: GuardedCall;
  circuit: SharedCircuit;
  policy: CircuitPolicy;
  policy_hash: string;
  ports: GuardPorts;
}

/** How it may pass: as any call, told to the others beforehand or not, or as the elected probe that decides the circuit's state. */
export type Admission = { kind: "call"; told?: boolean } | { kind: "probe"; record: CircuitRecord };

/** Where the dependency got all it may, who asks for more than an equal part of so much waits. */
const FULL_SHARE = 0.5;
/** Clocks differ: a probe's lease counts as ended this much later for everybody else. */
const CLOCK_SKEW_MS = 2000;

/** @throws ParkedFault `CIRCUIT_OPEN`, `DEPENDENCY_DAMPED`, `RETRY_BUDGET_SPENT` */
export async function admit(asking: Asking): Promise<Admission> {
  const { circuit, policy, ports } = asking;
  const { runtime } = ports;
  const parking = { key: circuit.key, policy, runtime };
  const now = runtime.now();
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
  const parking = { key: circuit.key, policy, runtime };
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
function admitClosed({ circuit, request, policy, ports }: Asking): Admission {
  const { runtime } = ports;
  const parking = { key: circuit.key, policy, runtime };
  const retrying = request.attempt > 1;
  if (retrying) circuit.count(policy, "retries");
  const counts = circuit.counts(policy);
  const sums = sumsOf(counts);
  if (retrying) {
    const share = retryChance(sums, ports.retryBudget(request), policy);
    const chance = fairChance(request.tenant, share, counts);
    if (chance < 1 && runtime.random() >= chance) throw retryBudgetSpent(chance, parking);
  }
  const now = runtime.now();
  const traffic = circuit.traffic();
  const ramping = rampedShare(circuit.record, traffic, policy, now);
  const ramped = ramping ?? 1;
  const full = ramping !== undefined && rampIsFull(circuit.record, traffic, policy, now);
  const throttled = throttledShare(sums, policy);
  const share = Math.min(throttled, ramped);
  // Who asks for little passes all the same: it takes next to nothing from the others.
  const chance = fairChance(request.tenant, full ? Math.min(share, FULL_SHARE) : share, counts);
  if (chance < 1 && (full || runtime.random() >= chance)) {
    circuit.count(policy, full || ramped < throttled ? "held" : "damped", ...tenantSlots(request.tenant));
    throw dependencyDamped(chance, parking);
  }
  if (retrying) circuit.count(policy, "retry_calls");
  if (ramping === undefined) return { kind: "call" };
  circuit.count(policy, "passed");
  return { kind: "call", told: true };
}

/** Without the shared state: by this environment's own counts, or not at all. */
function admitAlone(asking: Asking): Admission {
  const { circuit, policy, ports } = asking;
  const { runtime } = ports;
  const parking = { key: circuit.key, policy, runtime };
  if (policy.when_unknown === "fail_closed") throw stateUnknown(parking);
  const since_failure_ms = runtime.now() - (circuit.failed_at ?? Number.NEGATIVE_INFINITY);
  const stopped = whyOpen(circuit.sums(policy), circuit.streak, policy);
  if (stopped && since_failure_ms < policy.open_seconds_base * 1000) throw stateUnknown(parking);
  return stopped ? { kind: "call" } : admitClosed(asking);
}
