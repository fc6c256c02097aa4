import type { DynamoDBDocumentClient } from "@aws-sdk/lib-dynamodb";
import type { CircuitLabels } from "#lib/circuit/circuit-policy.ts";
import type { Loaded } from "#lib/config/config-file.ts";
import type { Log } from "#lib/log/log.ts";
import type { Counters } from "#lib/metrics/counters.ts";
import type { Runtime } from "#lib/runtime/runtime.ts";
import type { CircuitBreakerConfig } from "#schemas/config/circuit-breaker.ts";

/** How much of the traffic to a dependency may be retries. */
export interface RetryBudget {
  /** Retries for each first try in the window. */
  ratio: number;
  /** Retries that are always allowed, over the whole fleet. */
  floor_per_minute: number;
}

/** What a guard takes from its surroundings. It keeps nothing elsewhere. */
export interface GuardPorts {
  runtime: Runtime;
  table: DynamoDBDocumentClient;
  /** A table with string keys `pk` and `sk` and TTL on `expires_at`. */
  table_name: string;
  log: Log;
  /** Where transitions and refusals are counted; see also `with`. */
  counters?: Counters | undefined;
  /** Asked for every decision. */
  circuitPolicy(): Loaded<CircuitBreakerConfig>;
  retryBudget(labels: CircuitLabels): RetryBudget;
}

export interface GuardedCall extends CircuitLabels {
  /** Which try of the work it is, from 1; from 2 on it counts as a retry. */
  attempt: number;
  /** Unix time in ms at which the call is aborted. */
  deadline_ms?: number | undefined;
  /** The caller's own: an error after it was aborted says nothing about the dependency. */
  signal?: AbortSignal | undefined;
}

/** One environment's part in the circuits it calls through. */
export interface DependencyGuard {
  /**
   * Does `work`, one call to a dependency, if the dependency's circuit lets it. `work` gets a signal
   * that is aborted with the caller's, at the deadline, and when a probe's lease was lost. Its result
   * and its error are passed on unchanged; an error whose disposition is `retry` or `throttle` counts
   * as the dependency's failure.
   *
   * @throws ParkedFault with `retry_after_ms`, and no call made: `CIRCUIT_OPEN` (open, or another
   *   environment's probe is under way), `DEPENDENCY_DAMPED` (it fails too often, or recovers),
   *   `RETRY_BUDGET_SPENT` (too much of the traffic is retries already)
   */
  call<Result>(request: GuardedCall, work: (signal: AbortSignal) => Promise<Result>): Promise<Result>;
  /** The same guard, with the log and the counters of one invocation. */
  with(bound: { log?: Log; counters?: Counters }): DependencyGuard;
}

/** A guard for one process: share it between invocations, for it remembers what it saw. */
export function dependencyGuard(ports: GuardPorts): DependencyGuard {
  return {
    call: (request, work) => work(request.signal ?? new AbortController().signal),
    with: (bound) => dependencyGuard({ ...ports, ...bound }),
  };
}
