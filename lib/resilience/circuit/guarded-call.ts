import type { Loaded } from "#lib/platform/config/config-file.ts";
import type { Log } from "#lib/platform/log/log.ts";
import type { Counters } from "#lib/platform/metrics/counters.ts";
import type { Runtime } from "#lib/platform/runtime/runtime.ts";
import type { TableClient } from "#lib/platform/table/operations.ts";
import type { CircuitLabels } from "#lib/resilience/circuit/circuit-policy.ts";
import type { SharedCircuit } from "#lib/resilience/circuit/shared-circuit.ts";
import type { CircuitBreakerConfig, CircuitPolicy } from "#schemas/config/circuit-breaker.ts";

/** How much of the traffic to a dependency may be retries. */
export interface RetryBudget {
  /** Retries for each first attempt in the window. */
  ratio: number;
  /** Retries a minute that are always admitted, over the whole fleet. */
  floor_per_minute: number;
}

/** What a guard needs from its surroundings. It keeps no state outside its process and the table. */
export interface GuardPorts {
  runtime: Runtime;
  table: TableClient;
  /** A table with string keys `pk` and `sk` and TTL on `expires_at`. */
  table_name: string;
  log: Log;
  /** Counts transitions and refused calls; `DependencyGuard.with` replaces it for one invocation. */
  counters?: Counters | undefined;
  /** The policy in force; read anew for every call. */
  circuitPolicy(): Loaded<CircuitBreakerConfig>;
  retryBudget(labels: CircuitLabels): RetryBudget;
}

/** One call to a dependency. */
export interface GuardedCall extends CircuitLabels {
  /** Number of the attempt, from 1. From 2 on the call counts as a retry. */
  attempt: number;
  /** Identifies the work, the same in all its attempts. Work that fails alone is recognised by it. */
  work?: string | undefined;
  /** The work ends if this attempt fails, unless the failure may be the dependency's. */
  last_try?: boolean | undefined;
  /** Unix time in ms since when the work is parked. Parked work returns in this order. */
  waiting_since_ms?: number | undefined;
  /** Unix time in ms at which the call is aborted. */
  deadline_ms?: number | undefined;
  /** The caller's own signal. An error after it was aborted says nothing about the dependency. */
  signal?: AbortSignal | undefined;
}

/** A call waiting for admission by a circuit breaker. */
export interface AdmissionRequest {
  call: GuardedCall;
  circuit: SharedCircuit;
  policy: CircuitPolicy;
  policy_hash: string;
  ports: GuardPorts;
}
