import type { DynamoDBDocumentClient } from "@aws-sdk/lib-dynamodb";
import { type Asking, admit } from "#lib/circuit/admit.ts";
import { forceInForce } from "#lib/circuit/circuit-moves.ts";
import { type CircuitLabels, circuitKey, circuitPolicyFor } from "#lib/circuit/circuit-policy.ts";
import { dependencyFailing } from "#lib/circuit/parking.ts";
import { runCall } from "#lib/circuit/run-call.ts";
import { runProbe } from "#lib/circuit/run-probe.ts";
import { SharedCircuit } from "#lib/circuit/shared-circuit.ts";
import type { Loaded } from "#lib/config/config-file.ts";
import { dispositionOf } from "#lib/errors/disposition-of.ts";
import { ParkedFault } from "#lib/errors/fault.ts";
import type { Log } from "#lib/log/log.ts";
import type { Counters } from "#lib/metrics/counters.ts";
import type { Runtime } from "#lib/runtime/runtime.ts";
import type { CircuitBreakerConfig, CircuitPolicy } from "#schemas/config/circuit-breaker.ts";

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
   * as the dependency's failure, and while the circuit is not closed, or recovers, is thrown as the cause
   * of a ParkedFault `DEPENDENCY_FAILING`: an outage spends no attempts.
   *
   * @throws ParkedFault with `retry_after_ms`, and no call made: `CIRCUIT_OPEN` (open, or another
   *   environment's probe is under way), `DEPENDENCY_DAMPED` (it fails too often, or recovers),
   *   `RETRY_BUDGET_SPENT` (too much of the traffic is retries already)
   */
  call<Result>(request: GuardedCall, work: (signal: AbortSignal) => Promise<Result>): Promise<Result>;
  /** The same guard, with the log and the counters of one invocation. */
  with(bound: { log?: Log; counters?: Counters }): DependencyGuard;
}

/** Beyond this many circuits the one used longest ago is forgotten; the table remembers it. */
const CIRCUITS_MAX = 1000;

/** A guard for one process: share it between invocations, for it remembers what it saw. */
export function dependencyGuard(ports: GuardPorts): DependencyGuard {
  return boundGuard(ports, new Map());
}

function boundGuard(ports: GuardPorts, circuits: Map<string, SharedCircuit>): DependencyGuard {
  return {
    async call(request, work) {
      const { value, hash: policy_hash } = ports.circuitPolicy();
      const policy = circuitPolicyFor(value, request);
      const circuit = circuitOf(request, policy, circuits, ports);
      const asking = { request, circuit, policy, policy_hash, ports };
      await circuit.look(policy, ports.log);
      try {
        const admission = await admit(asking);
        if (admission.kind === "call" && admission.told) await circuit.tell(policy, ports.log);
        return admission.kind === "probe"
          ? await runProbe(admission.record, asking, work)
          : await runCall(asking, work);
      } catch (error) {
        if (error instanceof ParkedFault && PARKED[error.code]) {
          ports.counters?.count(PARKED[error.code] as string, request.tenant);
          await circuit.share(policy, ports.log);
        }
        throw failedInOutage(error, asking) ?? error;
      }
    },
    with: (bound) => boundGuard({ ...ports, ...bound }, circuits),
  };
}

/**
 * While a dependency is in trouble its failures are the outage's, not the work's: they cost no attempt,
 * or an outage would dead-letter what it hits often enough. Before that is known each failure counts.
 */
function failedInOutage(
  error: unknown,
  { circuit, request, policy, ports }: Asking,
): ParkedFault | undefined {
  const { runtime } = ports;
  const { record } = circuit;
  const disposition = dispositionOf(error);
  if (!record || request.signal?.aborted || (disposition !== "retry" && disposition !== "throttle")) return;
  if (forceInForce(record, runtime.now())) return;
  const lately_ms =
    record.closed_at === undefined ? Number.POSITIVE_INFINITY : runtime.now() - record.closed_at;
  const recovering =
    (record.recovering_until ?? 0) > runtime.now() || lately_ms < 2000 * policy.window_seconds;
  if (record.state === "closed" && !recovering) return;
  return dependencyFailing(error, record, { key: circuit.key, policy, runtime });
}

const PARKED: Record<string, string> = {
  CIRCUIT_OPEN: "calls_parked",
  DEPENDENCY_DAMPED: "calls_damped",
  RETRY_BUDGET_SPENT: "retries_parked",
};

function circuitOf(
  labels: CircuitLabels,
  policy: CircuitPolicy,
  circuits: Map<string, SharedCircuit>,
  ports: GuardPorts,
): SharedCircuit {
  const key = circuitKey(labels, policy);
  const tenant = policy.scope === "tenant" ? labels.tenant : undefined;
  const circuit = circuits.get(key) ?? new SharedCircuit({ key, tenant }, ports);
  circuits.delete(key);
  circuits.set(key, circuit);
  const [oldest] = circuits.keys();
  if (circuits.size > CIRCUITS_MAX && oldest !== undefined) circuits.delete(oldest);
  return circuit;
}
