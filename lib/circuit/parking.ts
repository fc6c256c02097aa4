import { Fault, ParkedFault } from "#lib/errors/fault.ts";
import type { Runtime } from "#lib/runtime/runtime.ts";
import type { CircuitPolicy } from "#schemas/config/circuit-breaker.ts";
import type { CircuitRecord, ForcedCircuit } from "#schemas/records/circuit.ts";

interface Parking {
  key: string;
  policy: CircuitPolicy;
  runtime: Pick<Runtime, "now" | "random">;
}

const WAIT_MS_MIN = 1000;
const DAMPED_WAIT_MS = 4000;
/** An operator may let go at any time: half of what is held asks again within this time, all in twice that. */
const HELD_WAIT_MS = 15_000;

/**
 * Parked until a probe may have succeeded. The times of return are spread over as long as the outage
 * has lasted: what gathered in that time then returns at the rate at which it came.
 */
export function circuitOpen(
  { next_probe_at, outage_began_at }: Pick<CircuitRecord, "next_probe_at" | "outage_began_at">,
  { key, policy, runtime }: Parking,
): ParkedFault {
  const now = runtime.now();
  const from = Math.max(next_probe_at ?? 0, now + WAIT_MS_MIN);
  const spread_ms = Math.max(WAIT_MS_MIN, from - (outage_began_at ?? now));
  return new ParkedFault(
    "CIRCUIT_OPEN",
    `${key} fails, and calls to it wait until a probe succeeds; it costs no attempt. See agents circuits`,
    { retry_after_ms: within(from - now + runtime.random() * spread_ms, policy, runtime) },
  );
}

/** The call was made and failed, as calls do in this outage. Waits as those that were not let through. */
export function dependencyFailing(
  error: unknown,
  record: Pick<CircuitRecord, "next_probe_at" | "outage_began_at">,
  parking: Parking,
): ParkedFault {
  const said = error instanceof Error ? error.message : String(error);
  const asked_ms = error instanceof Fault ? (error.retry_after_ms ?? 0) : 0;
  const { retry_after_ms = 0 } = circuitOpen(record, parking);
  return new ParkedFault(
    "DEPENDENCY_FAILING",
    `${parking.key} is failing and this call failed too, which costs no attempt: ${said}`,
    { cause: error, retry_after_ms: Math.max(asked_ms, retry_after_ms) },
  );
}

export function circuitForcedOpen(force: ForcedCircuit, { key, policy, runtime }: Parking): ParkedFault {
  const now = runtime.now();
  const left_ms = force.until === null ? HELD_WAIT_MS : Date.parse(force.until) - now;
  const wait_ms = Math.min(left_ms, HELD_WAIT_MS) + runtime.random() * HELD_WAIT_MS;
  return new ParkedFault(
    "CIRCUIT_OPEN",
    `an operator holds ${key} open: ${force.why}. It is let go with agents circuits reset`,
    { retry_after_ms: within(wait_ms, policy, runtime) },
  );
}

export function stateUnknown({ key, policy, runtime }: Parking): ParkedFault {
  const wait_ms = policy.open_seconds_base * 1000 * (0.5 + runtime.random());
  return new ParkedFault(
    "CIRCUIT_OPEN",
    `the state of ${key} cannot be read from the table, and its policy is to wait then (when_unknown)`,
    { retry_after_ms: within(wait_ms, policy, runtime) },
  );
}

/** The smaller the share that is let through, the longer the wait, so that asking itself stays cheap. */
export function dependencyDamped(share: number, { key, policy, runtime }: Parking): ParkedFault {
  const wait_ms = (DAMPED_WAIT_MS / Math.max(0.01, share)) * (0.5 + runtime.random());
  return new ParkedFault(
    "DEPENDENCY_DAMPED",
    `${key} fails too often or has just recovered; ${Math.round(share * 100)} % of calls to it are let through, and this one waits`,
    { retry_after_ms: within(wait_ms, policy, runtime) },
  );
}

export function retryBudgetSpent(chance: number, { key, policy, runtime }: Parking): ParkedFault {
  const wait_ms = (DAMPED_WAIT_MS / Math.max(0.1, chance)) * (0.5 + runtime.random());
  return new ParkedFault(
    "RETRY_BUDGET_SPENT",
    `retries are all of the traffic to ${key} that they may be; this one waits until there is room`,
    { retry_after_ms: within(wait_ms, policy, runtime) },
  );
}

/** Between a second and the policy's longest; what would be longer is spread over the second half of that. */
function within(
  wait_ms: number,
  { park_seconds_max }: CircuitPolicy,
  { random }: Pick<Runtime, "random">,
): number {
  const longest_ms = park_seconds_max * 1000;
  const spread_ms = wait_ms > longest_ms ? longest_ms * (0.5 + random() / 2) : wait_ms;
  return Math.ceil(Math.max(WAIT_MS_MIN, spread_ms));
}
