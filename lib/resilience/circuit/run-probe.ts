import { keepLease } from "#lib/platform/lease/lease-keeper.ts";
import { LeaseLost } from "#lib/platform/lease/lease-lost.ts";
import { announce } from "#lib/resilience/circuit/announce.ts";
import type { Asking } from "#lib/resilience/circuit/asking.ts";
import { opened, probeFreed, probePassed } from "#lib/resilience/circuit/circuit-moves.ts";
import { tenantSlots } from "#lib/resilience/circuit/fair-share.ts";
import { renewProbe } from "#lib/resilience/circuit/move-circuit.ts";
import { type Ended, timed, type Work } from "#lib/resilience/circuit/run-call.ts";
import type { CircuitRecord } from "#schemas/records/circuit.ts";

/**
 * The one call of a half-open circuit, under a lease that is renewed while it runs. Its end decides
 * the circuit's state, if the circuit has not moved on without it.
 */
export async function runProbe<Result>(
  record: CircuitRecord,
  asking: Asking,
  work: Work<Result>,
): Promise<Result> {
  const { request, policy, ports } = asking;
  const { runtime } = ports;
  const lost = new AbortController();
  const name = `the probe of ${record.key}`;
  const keeper = keepLease({
    name,
    runtime,
    leaseMs: () => policy.probe_lease_seconds * 1000,
    renew: async (lease_ms) => {
      if (!(await renewProbe(record, runtime.now() + lease_ms, ports))) throw new LeaseLost(name);
    },
    onLost: (error) => lost.abort(error),
  });
  const ended = await timed(asking, work, request.signal, lost.signal).finally(() => keeper.stop());
  await conclude(record, ended, asking);
  if ("error" in ended) throw ended.error;
  return ended.result;
}

async function conclude(record: CircuitRecord, ended: Ended<unknown>, asking: Asking): Promise<void> {
  const { circuit, ports, request } = asking;
  const { log, counters } = ports;
  if (ended.outcome !== "nothing") counters?.count("dependency_calls", request.tenant);
  if (ended.outcome === "failed") counters?.count("dependency_failures", request.tenant);
  const next = afterProbe(record, ended, asking);
  const fields = { circuit: circuit.key, generation: record.generation };
  try {
    if (await circuit.move(next)) {
      // The answer that closed it is the first thing known of the dependency since.
      if (next.state === "closed") circuit.count(asking.policy, "calls", ...tenantSlots(request.tenant));
      log.info("CIRCUIT_PROBE_ENDED", `the probe of ${circuit.key} ${WORDS[ended.outcome]}`, fields);
      announce(next, log, counters);
    } else {
      log.warn(
        "CIRCUIT_PROBE_LATE",
        `the probe of ${circuit.key} came too late; its result is ignored`,
        fields,
      );
    }
  } catch (error) {
    log.warn(
      "CIRCUIT_PROBE_LOST",
      `the result of the probe of ${circuit.key} was not written, another follows when its lease ends: ${String(error)}`,
      fields,
    );
  }
}

const WORDS = { answered: "succeeded", failed: "failed", nothing: "told nothing" };

function afterProbe(
  record: CircuitRecord,
  ended: Ended<unknown>,
  { policy, policy_hash, ports: { runtime } }: Asking,
): CircuitRecord {
  const stamp = { now: runtime.now(), writer: runtime.uuid(), policy_hash };
  if (ended.outcome === "nothing") return probeFreed(record, stamp);
  if (ended.outcome === "answered" && !ended.slow) return probePassed(record, policy, stamp);
  const said = "error" in ended ? String(ended.error) : `it took over ${policy.slow_call_ms} ms`;
  const why = `the probe failed: ${said}`;
  return opened(record, { code: "PROBE_FAILED", why }, {}, policy, stamp);
}
