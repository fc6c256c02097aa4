import type { GuardedCall, GuardPorts } from "#lib/resilience/circuit/dependency-guard.ts";
import type { Parking } from "#lib/resilience/circuit/parking.ts";
import type { SharedCircuit } from "#lib/resilience/circuit/shared-circuit.ts";
import type { CircuitPolicy } from "#schemas/config/circuit-breaker.ts";

/** One call at the door of one circuit, under the policy as it stands. */
export interface Asking {
  request: GuardedCall;
  circuit: SharedCircuit;
  policy: CircuitPolicy;
  policy_hash: string;
  ports: GuardPorts;
}

export function parkingOf({ circuit, request, policy, ports: { runtime } }: Asking): Parking {
  const { dependency, waiting_since_ms } = request;
  return { key: circuit.key, dependency, waiting_since_ms, policy, runtime };
}
