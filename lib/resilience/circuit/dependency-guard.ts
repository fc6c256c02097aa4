import type { MiddlewareObj } from "@middy/core";
import type { Context } from "aws-lambda";
import { LRUCache } from "lru-cache";
import { dispositionOf } from "#lib/platform/errors/disposition-of.ts";
import { ParkedFault, RetryableFault } from "#lib/platform/errors/fault.ts";
import { keepLease } from "#lib/platform/lease/lease-keeper.ts";
import { LeaseLost } from "#lib/platform/lease/lease-lost.ts";
import type { Log } from "#lib/platform/log/log.ts";
import type { CountedMetric } from "#lib/platform/metrics/catalogue.ts";
import type { Counters } from "#lib/platform/metrics/counters.ts";
import { aroundHandler } from "#lib/platform/runtime/around-handler.ts";
import {
  type AdmissionRequest,
  admit,
  dependencyFailing,
  stampOf,
} from "#lib/resilience/circuit/admission.ts";
import { tenantSlots, workSlot } from "#lib/resilience/circuit/call-counts.ts";
import {
  forceInForce,
  newCircuit,
  opened,
  probeReleased,
  probeSucceeded,
  reportTransition,
} from "#lib/resilience/circuit/circuit-state.ts";
import { renewProbe } from "#lib/resilience/circuit/circuit-table.ts";
import {
  isDependencyFailure,
  isUnavailability,
  reasonToOpen,
} from "#lib/resilience/circuit/dependency-failure.ts";
import {
  circuitKey,
  circuitPolicyFor,
  type GuardedCall,
  type GuardPorts,
} from "#lib/resilience/circuit/guarded-call.ts";
import { SharedCircuit } from "#lib/resilience/circuit/shared-circuit.ts";
import type { CircuitRecord } from "#schemas/records/circuit.ts";

/*
 * One guarded call: the circuit's state is read when the view of it is too old, the call is admitted (admission.ts),
 * made and judged, its outcome is counted and shared, and the circuit moves if it must.
 */

type Work<Result> = (signal: AbortSignal) => Promise<Result>;

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
  call<Result>(call: GuardedCall, work: Work<Result>): Promise<Result>;
  /** The same guard with the log and the counters of one invocation. */
  with(bound: { log?: Log; counters?: Counters }): DependencyGuard;
}

/** Metric of the calls that were parked with each code. */
const PARKED_METRICS: Record<string, CountedMetric> = {
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
  const circuitOf = (call: GuardedCall): SharedCircuit => {
    const { value, hash } = ports.circuitPolicy();
    const policy = circuitPolicyFor(value, call);
    const key = circuitKey(call, policy);
    const tenant = policy.scope === "tenant" ? call.tenant : undefined;
    const circuit = circuits.get(key) ?? new SharedCircuit({ key, tenant, policy, policy_hash: hash }, ports);
    circuits.set(key, circuit);
    return Object.assign(circuit, { policy, policy_hash: hash });
  };
  return {
    async call(call, work) {
      const circuit = circuitOf(call);
      const request = { call, circuit, ports };
      await circuit.refresh(ports.log);
      try {
        const { probe, counted_in } = await admit(request);
        const ended = probe ? await runProbe(request, probe, work) : await runCall(request, work, counted_in);
        if ("error" in ended) throw ended.error;
        return ended.result;
      } catch (error) {
        const metric = error instanceof ParkedFault ? PARKED_METRICS[error.code] : undefined;
        if (metric) {
          ports.counters?.count(metric, call.tenant);
          await circuit.share(ports.log);
        }
        if (call.signal?.aborted || !isUnavailability(error)) throw error;
        const is_of_dependency = isDependencyFailure(call, circuit, ports.runtime.now());
        throw is_of_dependency ? dependencyFailing(request, error) : error;
      }
    },
    with: (bound) => boundGuard({ ...ports, ...bound }, circuits),
  };
}

/**
 * Makes a call through a closed circuit, and opens the circuit when its failure was one too many. A call that uses
 * the allowance of a recovering dependency is `counted_in` a slice; its end is shared at once.
 */
async function runCall<Result>(
  request: AdmissionRequest,
  work: Work<Result>,
  counted_in: number | undefined,
): Promise<EndedCall<Result>> {
  const { circuit, call, ports } = request;
  const ended = await makeCall(request, work, call.signal);
  if (ended.outcome !== "no_evidence") {
    const failed = ended.outcome === "failed";
    circuit.count(
      "calls",
      ...(failed ? ["failures", workSlot(call.work ?? ports.runtime.uuid())] : []),
      ...(ended.slow ? ["slow"] : []),
      ...tenantSlots(call.tenant),
    );
    circuit.ended(failed, ended.elapsed_ms);
  }
  if (counted_in !== undefined) circuit.countAt(counted_in, "ended");
  await circuit.share(ports.log, counted_in !== undefined);
  await openIfDue(request);
  return ended;
}

/**
 * Makes the one call that a half-open circuit admits, under a lease that is renewed meanwhile. Its outcome decides
 * the circuit's state, unless the circuit has moved on without it.
 */
async function runProbe<Result>(
  request: AdmissionRequest,
  record: CircuitRecord,
  work: Work<Result>,
): Promise<EndedCall<Result>> {
  const { call, circuit, ports } = request;
  const { runtime } = ports;
  const lost = new AbortController();
  const name = `the probe of circuit ${record.key}`;
  const keeper = keepLease({
    name,
    runtime,
    leaseMs: () => circuit.policy.probe_lease_seconds * 1000,
    renew: async (lease_ms) => {
      if (!(await renewProbe(record, runtime.now() + lease_ms, ports))) throw new LeaseLost(name);
    },
    onLost: (error) => lost.abort(error),
  });
  const ended = await makeCall(request, work, call.signal, lost.signal).finally(() => keeper.stop());
  await concludeProbe(request, record, ended);
  return ended;
}

/** The result or the error of a call, and what it says about the dependency. */
type EndedCall<Result> = ({ result: Result } | { error: unknown }) & {
  /** `no_evidence`: it ended for reasons of the caller's. */
  outcome: "answered" | "failed" | "no_evidence";
  slow: boolean;
  elapsed_ms: number;
};

/** Runs the work under the given signals and the deadline, and judges and counts its outcome. Never throws. */
async function makeCall<Result>(
  { call, circuit, ports }: AdmissionRequest,
  work: Work<Result>,
  ...signals: (AbortSignal | undefined)[]
): Promise<EndedCall<Result>> {
  const { runtime, counters } = ports;
  const { slow_call_ms } = circuit.policy;
  const deadline = new AbortController();
  const over = new AbortController();
  const started = runtime.now();
  if (call.deadline_ms !== undefined) {
    runtime.sleep(Math.max(0, call.deadline_ms - started), over.signal).then(
      () => deadline.abort(new RetryableFault("CALL_DEADLINE", "the dependency did not answer in time")),
      () => undefined, // the call ended first
    );
  }
  const given = signals.filter((signal) => signal !== undefined);
  const judged = (outcome: EndedCall<Result>["outcome"], elapsed_ms: number) => {
    if (outcome !== "no_evidence") counters?.count("dependency_calls", call.tenant);
    if (outcome === "failed") counters?.count("dependency_failures", call.tenant);
    return { outcome, slow: elapsed_ms > slow_call_ms, elapsed_ms };
  };
  try {
    const result = await work(AbortSignal.any([...given, deadline.signal]));
    return { result, ...judged("answered", runtime.now() - started) };
  } catch (error) {
    const elapsed_ms = runtime.now() - started;
    // A call that met its deadline failed only if it had the time that a call may take. One that was parked waited
    // for something else. Any other error that is no unavailability is an answer.
    const no_evidence =
      given.some((signal) => signal.aborted) ||
      (deadline.signal.aborted ? elapsed_ms < slow_call_ms : dispositionOf(error) === "park");
    const failed = deadline.signal.aborted || isUnavailability(error);
    return { error, ...judged(no_evidence ? "no_evidence" : failed ? "failed" : "answered", elapsed_ms) };
  } finally {
    over.abort();
  }
}

/** The environment that sees in the pooled counts that too much fails opens the circuit for all. */
async function openIfDue(request: AdmissionRequest): Promise<void> {
  const { circuit, ports } = request;
  const { record, policy, key } = circuit;
  const now = ports.runtime.now();
  if (circuit.unknown || (record?.state ?? "closed") !== "closed" || forceInForce(record, now)) return;
  const reason = reasonToOpen(circuit);
  if (!reason) return;
  const from = record ?? newCircuit(circuit, now);
  const { calls, damped } = circuit.totals;
  const usual = {
    per_second: from.well_per_second ?? (calls + damped) / policy.window_seconds,
    in_flight: from.well_in_flight,
  };
  const next = opened(from, reason, usual, policy, stampOf(request));
  try {
    if (await circuit.move(next)) reportTransition(next, ports.log, ports.counters);
  } catch (error) {
    const sentence = `circuit ${key} should open (${reason.why}), but the write failed: ${String(error)}`;
    ports.log.warn("CIRCUIT_NOT_OPENED", sentence, { circuit: key });
  }
}

const PROBE_OUTCOMES = { answered: "succeeded", failed: "failed", no_evidence: "gave no evidence" };

async function concludeProbe(
  request: AdmissionRequest,
  record: CircuitRecord,
  ended: EndedCall<unknown>,
): Promise<void> {
  const { circuit, call, ports } = request;
  const { policy } = circuit;
  const { log, counters } = ports;
  const stamp = stampOf(request);
  const message = "error" in ended ? String(ended.error) : `it took over ${policy.slow_call_ms} ms`;
  const reason = { code: "PROBE_FAILED", why: `the probe failed: ${message}` };
  const next =
    ended.outcome === "no_evidence"
      ? probeReleased(record, stamp)
      : ended.outcome === "answered" && !ended.slow
        ? probeSucceeded(record, policy, stamp)
        : opened(record, reason, {}, policy, stamp);
  const fields = { circuit: circuit.key, generation: record.generation };
  const name = `the probe of circuit ${circuit.key}`;
  try {
    if (!(await circuit.move(next))) {
      const sentence = `${name} lost its lease before it ended; its outcome is ignored`;
      log.warn("CIRCUIT_PROBE_LATE", sentence, fields);
      return;
    }
    // The answer that closed the circuit is the first evidence of the new state.
    if (next.state === "closed") circuit.count("calls", ...tenantSlots(call.tenant));
    log.info("CIRCUIT_PROBE_ENDED", `${name} ${PROBE_OUTCOMES[ended.outcome]}`, fields);
    reportTransition(next, log, counters);
  } catch (error) {
    const sentence = `the outcome of ${name} was not written; another probe follows when its lease ends: ${String(error)}`;
    log.warn("CIRCUIT_PROBE_LOST", sentence, fields);
  }
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
