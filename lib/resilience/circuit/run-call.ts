import { RetryableFault } from "#lib/platform/errors/fault.ts";
import { keepLease } from "#lib/platform/lease/lease-keeper.ts";
import { LeaseLost } from "#lib/platform/lease/lease-lost.ts";
import { countsIn, failingWorks, tenantSlots, workSlot } from "#lib/resilience/circuit/call-counts.ts";
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
  type CallOutcome,
  outcomeOfError,
  reasonToOpen,
} from "#lib/resilience/circuit/dependency-failure.ts";
import type { AdmissionRequest } from "#lib/resilience/circuit/guarded-call.ts";
import type { CircuitRecord } from "#schemas/records/circuit.ts";

/*
 * An admitted call: it is made, its outcome is counted, and the circuit moves if it must.
 */

export type Work<Result> = (signal: AbortSignal) => Promise<Result>;

/** The result or the error of a call, and what it says about the dependency. */
type EndedCall<Result> = ({ result: Result } | { error: unknown }) & {
  outcome: CallOutcome;
  slow: boolean;
  elapsed_ms: number;
};

/**
 * Makes a call through a closed circuit, and opens the circuit when its failure was one too many. A call that uses
 * the allowance of a recovering dependency is `counted_in` a slice; its end is shared at once.
 */
export async function runCall<Result>(
  request: AdmissionRequest,
  work: Work<Result>,
  counted_in?: number,
): Promise<Result> {
  const { circuit, call, policy, ports } = request;
  const ended = await makeCall(request, work, call.signal);
  countCall(request, ended);
  if (counted_in !== undefined) circuit.countAt(counted_in, "ended", policy);
  await circuit.share(policy, ports.log, counted_in !== undefined);
  await openIfDue(request);
  if ("error" in ended) throw ended.error;
  return ended.result;
}

/**
 * Makes the one call that a half-open circuit admits, under a lease that is renewed meanwhile. Its outcome decides
 * the circuit's state, unless the circuit has moved on without it.
 */
export async function runProbe<Result>(
  request: AdmissionRequest,
  record: CircuitRecord,
  work: Work<Result>,
): Promise<Result> {
  const { call, policy, ports } = request;
  const { runtime } = ports;
  const lost = new AbortController();
  const name = `the probe of circuit ${record.key}`;
  const keeper = keepLease({
    name,
    runtime,
    leaseMs: () => policy.probe_lease_seconds * 1000,
    renew: async (lease_ms) => {
      if (!(await renewProbe(record, runtime.now() + lease_ms, ports))) throw new LeaseLost(name);
    },
    onLost: (error) => lost.abort(error),
  });
  const ended = await makeCall(request, work, call.signal, lost.signal).finally(() => keeper.stop());
  await concludeProbe(request, record, ended);
  if ("error" in ended) throw ended.error;
  return ended.result;
}

/** Runs the work under the given signals and the deadline, and judges its outcome. Never throws. */
async function makeCall<Result>(
  { call, policy, ports }: AdmissionRequest,
  work: Work<Result>,
  ...signals: (AbortSignal | undefined)[]
): Promise<EndedCall<Result>> {
  const { runtime } = ports;
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
  const elapsed = () => runtime.now() - started;
  const { slow_call_ms } = policy;
  try {
    const result = await work(AbortSignal.any([...given, deadline.signal]));
    const elapsed_ms = elapsed();
    return { result, outcome: "answered", slow: elapsed_ms > slow_call_ms, elapsed_ms };
  } catch (error) {
    const elapsed_ms = elapsed();
    const aborted = given.some((signal) => signal.aborted);
    const late = deadline.signal.aborted;
    const outcome = outcomeOfError({ error, aborted, late, elapsed_ms, slow_call_ms });
    return { error, outcome, slow: elapsed_ms > slow_call_ms, elapsed_ms };
  } finally {
    over.abort();
  }
}

function countCall(
  { circuit, policy, call, ports }: AdmissionRequest,
  { outcome, slow, elapsed_ms }: EndedCall<unknown>,
): void {
  if (outcome === "no_evidence") return;
  const failed = outcome === "failed";
  circuit.count(
    policy,
    "calls",
    ...(failed ? ["failures", workSlot(call.work ?? ports.runtime.uuid())] : []),
    ...(slow ? ["slow"] : []),
    ...tenantSlots(call.tenant),
  );
  circuit.ended(failed, elapsed_ms, policy);
  ports.counters?.count("dependency_calls", call.tenant);
  if (failed) ports.counters?.count("dependency_failures", call.tenant);
}

/** The environment that sees in the pooled counts that too much fails opens the circuit for all. */
async function openIfDue({ circuit, policy, policy_hash, ports }: AdmissionRequest): Promise<void> {
  const { runtime, log, counters } = ports;
  const { record } = circuit;
  if (circuit.unknown || (record?.state ?? "closed") !== "closed") return;
  const now = runtime.now();
  if (forceInForce(record, now)) return;
  const totals = circuit.totals(policy);
  const counts = countsIn(totals);
  const evidence = { streak: circuit.streak, failing_works: failingWorks(totals) };
  const reason = reasonToOpen(counts, evidence, policy);
  if (!reason) return;
  const from = record ?? newCircuit(circuit, now);
  const usual = {
    per_second: from.well_per_second ?? (counts.calls + counts.damped) / policy.window_seconds,
    in_flight: from.well_in_flight,
  };
  const next = opened(from, reason, usual, policy, { now, writer: runtime.uuid(), policy_hash });
  try {
    if (await circuit.move(next)) reportTransition(next, log, counters);
  } catch (error) {
    const sentence = `circuit ${circuit.key} should open (${reason.why}), but the write failed: ${String(error)}`;
    log.warn("CIRCUIT_NOT_OPENED", sentence, { circuit: circuit.key });
  }
}

const PROBE_OUTCOMES: Record<CallOutcome, string> = {
  answered: "succeeded",
  failed: "failed",
  no_evidence: "gave no evidence",
};

async function concludeProbe(
  request: AdmissionRequest,
  record: CircuitRecord,
  ended: EndedCall<unknown>,
): Promise<void> {
  const { circuit, call, policy, policy_hash, ports } = request;
  const { runtime, log, counters } = ports;
  if (ended.outcome !== "no_evidence") counters?.count("dependency_calls", call.tenant);
  if (ended.outcome === "failed") counters?.count("dependency_failures", call.tenant);
  const stamp = { now: runtime.now(), writer: runtime.uuid(), policy_hash };
  const message = "error" in ended ? String(ended.error) : `it took over ${policy.slow_call_ms} ms`;
  const reason = { code: "PROBE_FAILED", why: `the probe failed: ${message}` };
  const succeeded = ended.outcome === "answered" && !ended.slow;
  const next =
    ended.outcome === "no_evidence"
      ? probeReleased(record, stamp)
      : succeeded
        ? probeSucceeded(record, policy, stamp)
        : opened(record, reason, {}, policy, stamp);
  const fields = { circuit: circuit.key, generation: record.generation };
  const name = `the probe of circuit ${circuit.key}`;
  try {
    if (!(await circuit.move(next))) {
      log.warn(
        "CIRCUIT_PROBE_LATE",
        `${name} lost its lease before it ended; its outcome is ignored`,
        fields,
      );
      return;
    }
    // The answer that closed the circuit is the first evidence of the new state.
    if (next.state === "closed") circuit.count(policy, "calls", ...tenantSlots(call.tenant));
    log.info("CIRCUIT_PROBE_ENDED", `${name} ${PROBE_OUTCOMES[ended.outcome]}`, fields);
    reportTransition(next, log, counters);
  } catch (error) {
    const sentence = `the outcome of ${name} was not written; another probe follows when its lease ends: ${String(error)}`;
    log.warn("CIRCUIT_PROBE_LOST", sentence, fields);
  }
}
