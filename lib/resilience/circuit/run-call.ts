import { RetryableFault } from "#lib/platform/errors/fault.ts";
import { whyOpen } from "#lib/resilience/circuit/admission.ts";
import { announce } from "#lib/resilience/circuit/announce.ts";
import type { Asking } from "#lib/resilience/circuit/asking.ts";
import { failingWorks, workSlot } from "#lib/resilience/circuit/blame.ts";
import { type CallOutcome, outcomeOfError } from "#lib/resilience/circuit/call-outcome.ts";
import { forceInForce, newCircuit, opened } from "#lib/resilience/circuit/circuit-moves.ts";
import { tenantSlots } from "#lib/resilience/circuit/fair-share.ts";
import { sumsOf } from "#lib/resilience/circuit/traffic.ts";

export type Work<Result> = (signal: AbortSignal) => Promise<Result>;

/** What work gave, and what that says about the dependency. */
export type Ended<Result> = ({ result: Result } | { error: unknown }) & {
  outcome: CallOutcome;
  slow: boolean;
  elapsed_ms: number;
};

/**
 * An admitted call: done, counted, and if it was one failure too many the circuit opens. Its end is told
 * at once where it had a pass.
 */
export async function runCall<Result>(asking: Asking, work: Work<Result>, pass?: number): Promise<Result> {
  const { circuit, policy, ports } = asking;
  const ended = await timed(asking, work, asking.request.signal);
  countCall(ended, asking);
  if (pass !== undefined) circuit.countAt(pass, "ended", policy);
  await circuit.share(policy, ports.log, pass !== undefined);
  await openIfDue(asking);
  if ("error" in ended) throw ended.error;
  return ended.result;
}

/** Does the work under the caller's signal and the deadline, and judges it. Never throws. */
export async function timed<Result>(
  { request, policy, ports }: Asking,
  work: Work<Result>,
  ...signals: (AbortSignal | undefined)[]
): Promise<Ended<Result>> {
  const { runtime } = ports;
  const deadline = new AbortController();
  const over = new AbortController();
  const started = runtime.now();
  if (request.deadline_ms !== undefined) {
    runtime.sleep(Math.max(0, request.deadline_ms - started), over.signal).then(
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
    const given_up = given.some(({ aborted }) => aborted);
    const late = deadline.signal.aborted;
    const outcome = outcomeOfError({ error, given_up, late, elapsed_ms, slow_call_ms });
    return { error, outcome, slow: elapsed_ms > slow_call_ms, elapsed_ms };
  } finally {
    over.abort();
  }
}

function countCall(
  { outcome, slow, elapsed_ms }: Ended<unknown>,
  { circuit, policy, request, ports }: Asking,
): void {
  if (outcome === "nothing") return;
  const failed = outcome === "failed";
  circuit.count(
    policy,
    "calls",
    ...(failed ? ["failures", workSlot(request.work ?? ports.runtime.uuid())] : []),
    ...(slow ? ["slow"] : []),
    ...tenantSlots(request.tenant),
  );
  circuit.ended(failed, elapsed_ms, policy);
  ports.counters?.count("dependency_calls", request.tenant);
  if (failed) ports.counters?.count("dependency_failures", request.tenant);
}

/** Whoever sees that the pooled counts are too bad opens the circuit, for all. */
async function openIfDue({ circuit, policy, policy_hash, ports }: Asking): Promise<void> {
  const { runtime, log, counters } = ports;
  const { record } = circuit;
  if (circuit.unknown || (record?.state ?? "closed") !== "closed") return;
  const now = runtime.now();
  if (forceInForce(record, now)) return;
  const counts = circuit.counts(policy);
  const sums = sumsOf(counts);
  const why = whyOpen(sums, { streak: circuit.streak, failing: failingWorks(counts) }, policy);
  if (!why) return;
  const from = record ?? newCircuit(circuit, now);
  const usual = {
    per_second: from.well_per_second ?? (sums.calls + sums.damped) / policy.window_seconds,
    in_flight: from.well_in_flight,
  };
  const stamp = { now, writer: runtime.uuid(), policy_hash };
  const next = opened(from, why, usual, policy, stamp);
  try {
    if (await circuit.move(next)) announce(next, log, counters);
  } catch (error) {
    log.warn(
      "CIRCUIT_NOT_OPENED",
      `${circuit.key} should open (${why.why}) and could not: ${String(error)}`,
      {
        circuit: circuit.key,
      },
    );
  }
}
