import type { Loaded } from "#lib/platform/config/config-file.ts";
import { dispositionOf } from "#lib/platform/errors/disposition-of.ts";
import { ParkedFault } from "#lib/platform/errors/fault.ts";
import type { Log } from "#lib/platform/log/log.ts";
import type { Counters } from "#lib/platform/metrics/counters.ts";
import type { Runtime } from "#lib/platform/runtime/runtime.ts";
import type { TableClient } from "#lib/platform/table/operations.ts";
import { admit } from "#lib/resilience/circuit/admit.ts";
import { type Asking, parkingOf } from "#lib/resilience/circuit/asking.ts";
import { isOutages } from "#lib/resilience/circuit/blame.ts";
import { type CircuitLabels, circuitKey, circuitPolicyFor } from "#lib/resilience/circuit/circuit-policy.ts";
import { dependencyFailing } from "#lib/resilience/circuit/parking.ts";
import { runCall } from "#lib/resilience/circuit/run-call.ts";
import { runProbe } from "#lib/resilience/circuit/run-probe.ts";
import { SharedCircuit } from "#lib/resilience/circuit/shared-circuit.ts";
import { sumTraffic } from "#lib/resilience/circuit/traffic.ts";
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
  table: TableClient;
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
  /** Names the work, the same in all its tries: so it is known what fails alone. */
  work?: string | undefined;
  /** The work is given up if this try fails. It is not for a failure that may be the dependency's. */
  last_try?: boolean | undefined;
  /** Unix time in ms since when the work is kept away: it comes back in this order. */
  waiting_since_ms?: number | undefined;
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
   * as the dependency's failure. While the circuit is not closed, or recovers, or when it would end work
   * that may not be to blame, it is thrown as the cause of a ParkedFault `DEPENDENCY_FAILING`: an outage
   * spends no attempts.
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
        return admission.kind === "probe"
          ? await runProbe(admission.record, asking, work)
          : await runCall(asking, work, admission.pass);
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

/** The failure as the outage's: parked, and no attempt spent. Undefined when it is the work's own. */
function failedInOutage(error: unknown, asking: Asking): ParkedFault | undefined {
  const { circuit, request, policy, ports } = asking;
  const disposition = dispositionOf(error);
  if (request.signal?.aborted || (disposition !== "retry" && disposition !== "throttle")) return;
  const now = ports.runtime.now();
  const { record } = circuit;
  const counts = circuit.counts(policy);
  const recent = sumTraffic(circuit.traffic(), now - policy.window_seconds * 500);
  if (!isOutages({ request, record, counts, recent, policy, now })) return;
  return dependencyFailing(error, record, parkingOf(asking));
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
