import type { CodeOf } from "#lib/platform/errors/codes.ts";
import { Fault, ParkedFault } from "#lib/platform/errors/fault.ts";
import type { Runtime } from "#lib/platform/runtime/runtime.ts";
import type { CircuitPolicy } from "#schemas/config/circuit-breaker.ts";
import type { CircuitRecord, ForcedCircuit } from "#schemas/records/circuit.ts";

/** Of the call that is parked. */
export interface Parking {
  key: string;
  dependency: string;
  /** Unix ms since when its work is kept away, when that is known. */
  waiting_since_ms: number | undefined;
  policy: CircuitPolicy;
  runtime: Pick<Runtime, "now" | "random">;
}

const WAIT_MS_MIN = 1000;
const DAMPED_WAIT_MS = 4000;
const HELD_WAIT_MS = 8000;
const HELD_WAIT_MS_MAX = 90_000;
/** An operator may let go at any time: half of what is held asks again within this time, all in twice that. */
const FORCED_WAIT_MS = 15_000;
/** What came at one moment comes back over this share of the time it came after the outage began. */
const SHIFT_JITTER = 0.1;

/**
 * Parked until a probe may have succeeded. Work that says since when it waits comes back in the order
 * and at the pace it came in, shifted by the outage; other work over as long as the outage has lasted.
 */
export function circuitOpen(
  { next_probe_at, outage_began_at }: Pick<CircuitRecord, "next_probe_at" | "outage_began_at">,
  parking: Parking,
): ParkedFault {
  const { key, waiting_since_ms, runtime } = parking;
  const now = runtime.now();
  const from = Math.max(next_probe_at ?? 0, now + WAIT_MS_MIN);
  const began_at = outage_began_at ?? now;
  const spread_ms =
    waiting_since_ms === undefined
      ? Math.max(WAIT_MS_MIN, from - began_at) * runtime.random()
      : Math.max(WAIT_MS_MIN, waiting_since_ms - began_at) * (1 + SHIFT_JITTER * runtime.random());
  return parked(
    "CIRCUIT_OPEN",
    `${key} fails, and calls to it wait until a probe succeeds; it costs no attempt. See agents circuits`,
    from - now + spread_ms,
    parking,
  );
}

/** The call was made and failed, as calls do in this outage. Waits as those that were not let through. */
export function dependencyFailing(
  error: unknown,
  record: Partial<CircuitRecord> | undefined,
  parking: Parking,
): ParkedFault {
  const { key, policy, runtime } = parking;
  const said = error instanceof Error ? error.message : String(error);
  const asked_ms = error instanceof Fault ? (error.retry_after_ms ?? 0) : 0;
  const wait_ms =
    record === undefined || record.state === "closed"
      ? policy.window_seconds * 1000 * (0.5 + runtime.random())
      : (circuitOpen(record, parking).retry_after_ms ?? 0);
  return parked(
    "DEPENDENCY_FAILING",
    `${key} is failing and this call failed too, which costs no attempt: ${said}`,
    wait_ms,
    parking,
    { cause: error, least_ms: asked_ms },
  );
}

export function circuitForcedOpen(force: ForcedCircuit, parking: Parking): ParkedFault {
  const { key, runtime } = parking;
  const left_ms = force.until === null ? FORCED_WAIT_MS : Date.parse(force.until) - runtime.now();
  return parked(
    "CIRCUIT_OPEN",
    `an operator holds ${key} open: ${force.why}. It is let go with agents circuits reset`,
    Math.min(left_ms, FORCED_WAIT_MS) + runtime.random() * FORCED_WAIT_MS,
    parking,
  );
}

export function stateUnknown(parking: Parking): ParkedFault {
  const { key, policy, runtime } = parking;
  return parked(
    "CIRCUIT_OPEN",
    `the state of ${key} cannot be read from the table, and its policy is to wait then (when_unknown)`,
    policy.open_seconds_base * 1000 * (0.5 + runtime.random()),
    parking,
  );
}

/** The smaller the share that is let through, the longer the wait, so that asking itself stays cheap. */
export function dependencyDamped(share: number, parking: Parking): ParkedFault {
  const { key, runtime } = parking;
  return parked(
    "DEPENDENCY_DAMPED",
    `${key} fails too often; ${Math.round(share * 100)} % of calls to it are let through, and this one waits`,
    (DAMPED_WAIT_MS / Math.max(0.01, share)) * (0.5 + runtime.random()),
    parking,
  );
}

/**
 * After an outage more is asked for than may pass. The wait grows with the square of how much more:
 * as much as may pass asks again meanwhile, and half as much beside it, whatever was gathered.
 */
export function dependencyRecovering(share: number, parking: Parking): ParkedFault {
  const { key, runtime } = parking;
  const wait_ms = Math.min(HELD_WAIT_MS_MAX, HELD_WAIT_MS / Math.max(0.01, share) ** 2);
  return parked(
    "DEPENDENCY_DAMPED",
    `${key} has just recovered and work that waited for it is let in bit by bit; this waits for its turn`,
    wait_ms * (0.5 + runtime.random()),
    parking,
  );
}

export function retryBudgetSpent(chance: number, parking: Parking): ParkedFault {
  const { key, runtime } = parking;
  return parked(
    "RETRY_BUDGET_SPENT",
    `retries are all of the traffic to ${key} that they may be; this one waits until there is room`,
    (DAMPED_WAIT_MS / Math.max(0.1, chance)) * (0.5 + runtime.random()),
    parking,
  );
}

/** Waits from `least_ms` to the policy's longest; what would be longer is spread over the second half of that. */
function parked(
  code: CodeOf<"park">,
  message: string,
  wait_ms: number,
  { dependency, policy, runtime }: Parking,
  { cause, least_ms = WAIT_MS_MIN }: { cause?: unknown; least_ms?: number } = {},
): ParkedFault {
  const longest_ms = policy.park_seconds_max * 1000;
  const bounded_ms = wait_ms > longest_ms ? longest_ms * (0.5 + runtime.random() / 2) : wait_ms;
  const retry_after_ms = Math.ceil(Math.max(WAIT_MS_MIN, least_ms, bounded_ms));
  return new ParkedFault(code, message, { cause, dependency, retry_after_ms, spread: true });
}
