import type { MiddlewareObj } from "@middy/core";
import type { Context } from "aws-lambda";
import { LRUCache } from "lru-cache";
import { ParkedFault } from "#lib/platform/errors/fault.ts";
import type { Log } from "#lib/platform/log/log.ts";
import type { Counters } from "#lib/platform/metrics/counters.ts";
import { aroundHandler } from "#lib/platform/runtime/around-handler.ts";
import { admit, dependencyFailing } from "#lib/resilience/circuit/admission.ts";
import { totalsOf } from "#lib/resilience/circuit/call-counts.ts";
import { type CircuitLabels, circuitKey, circuitPolicyFor } from "#lib/resilience/circuit/circuit-policy.ts";
import { isDependencyFailure, isUnavailability } from "#lib/resilience/circuit/dependency-failure.ts";
import type { AdmissionRequest, GuardedCall, GuardPorts } from "#lib/resilience/circuit/guarded-call.ts";
import { runCall, runProbe } from "#lib/resilience/circuit/run-call.ts";
import { SharedCircuit } from "#lib/resilience/circuit/shared-circuit.ts";
import type { CircuitPolicy } from "#schemas/config/circuit-breaker.ts";

/** One environment's circuit breakers, one for each dependency it calls. */
export interface DependencyGuard {
  /**
   * Makes one call to a dependency when its circuit admits it. `work` gets a signal that is aborted with the
   * caller's signal, at the deadline, and when a probe's lease was lost. Its result and its error are passed on
   * unchanged. An error whose disposition is `retry` or `throttle` counts as a failure of the dependency, unless it says
   * `dependency_answered`. When the
   * failure is known to be the dependency's (`isDependencyFailure`), it is thrown as the cause of a ParkedFault
   * `DEPENDENCY_FAILING`: an outage costs no attempts.
   *
   * @throws ParkedFault with `retry_after_ms`, without a call: `CIRCUIT_OPEN` (open, or another environment
   *   probes), `DEPENDENCY_DAMPED` (too many calls fail, or the dependency recovers), `RETRY_BUDGET_SPENT` (too
   *   many of the calls are retries)
   */
  call<Result>(call: GuardedCall, work: (signal: AbortSignal) => Promise<Result>): Promise<Result>;
  /** The same guard with the log and the counters of one invocation. */
  with(bound: { log?: Log; counters?: Counters }): DependencyGuard;
}

/** Metric of the calls that were parked with each code. */
const PARKED_METRICS: Record<string, string> = {
  CIRCUIT_OPEN: "calls_parked",
  DEPENDENCY_DAMPED: "calls_damped",
  RETRY_BUDGET_SPENT: "retries_parked",
};

/** Beyond this many circuits the least recently used one is forgotten; its state stays in the table. */
const CIRCUITS_MAX = 1000;

/** A guard for one process. Share it between invocations: it remembers what it counted. */
export function dependencyGuard(ports: GuardPorts): DependencyGuard {
  return boundGuard(ports, new LRUCache({ max: CIRCUITS_MAX }));
}

function boundGuard(ports: GuardPorts, circuits: LRUCache<string, SharedCircuit>): DependencyGuard {
  return {
    async call(call, work) {
      const { value, hash: policy_hash } = ports.circuitPolicy();
      const policy = circuitPolicyFor(value, call);
      const circuit = circuitOf(call, policy, circuits, ports);
      const request: AdmissionRequest = { call, circuit, policy, policy_hash, ports };
      await circuit.refresh(policy, ports.log);
      try {
        const admitted = await admit(request);
        return admitted.kind === "probe"
          ? await runProbe(request, admitted.record, work)
          : await runCall(request, work, admitted.counted_in);
      } catch (error) {
        const metric = error instanceof ParkedFault ? PARKED_METRICS[error.code] : undefined;
        if (metric) {
          ports.counters?.count(metric, call.tenant);
          await circuit.share(policy, ports.log);
        }
        throw isOfDependency(request, error) ? dependencyFailing(request, error) : error;
      }
    },
    with: (bound) => boundGuard({ ...ports, ...bound }, circuits),
  };
}

function isOfDependency({ call, circuit, policy, ports }: AdmissionRequest, error: unknown): boolean {
  if (call.signal?.aborted || !isUnavailability(error)) return false;
  const now = ports.runtime.now();
  const totals = circuit.totals(policy);
  const recent = totalsOf(circuit.counts(), now - policy.window_seconds * 500);
  return isDependencyFailure({ call, record: circuit.record, totals, recent, policy, now });
}

function circuitOf(
  labels: CircuitLabels,
  policy: CircuitPolicy,
  circuits: LRUCache<string, SharedCircuit>,
  ports: GuardPorts,
): SharedCircuit {
  const key = circuitKey(labels, policy);
  const tenant = policy.scope === "tenant" ? labels.tenant : undefined;
  const circuit = circuits.get(key) ?? new SharedCircuit({ key, tenant }, ports);
  circuits.set(key, circuit);
  return circuit;
}

export interface GuardedOptions<Event> {
  guard: DependencyGuard;
  /** The call that an event stands for; undefined for one that needs no guard. */
  call: (event: Event, context: Context) => GuardedCall | undefined;
}

/**
 * Makes a whole Lambda handler one guarded call, with middy 7: `middy(handler).use(guarded({ … }))`. For a handler
 * that is little more than a call to one dependency; otherwise use `guard.call`. Use it last. When the circuit does
 * not admit the call, the handler does not run, and the `ParkedFault` goes to the error handlers used before.
 */
export function guarded<Event>({ guard, call }: GuardedOptions<Event>): MiddlewareObj<Event> {
  return aroundHandler<Event>((event, context) => {
    const guarded_call = call(event, context);
    return guarded_call && ((handler) => guard.call(guarded_call, handler));
  });
}
