import { RetryableFault } from "#lib/platform/errors/fault.ts";
import type { Log } from "#lib/platform/log/log.ts";
import type { Counters } from "#lib/platform/metrics/counters.ts";
import { instant, type Runtime } from "#lib/platform/runtime/runtime.ts";
import type { TablePorts } from "#lib/platform/table/operations.ts";
import { allowanceOf, throttledShare } from "#lib/resilience/circuit/admission-limits.ts";
import { totalsOf, windowStart } from "#lib/resilience/circuit/call-counts.ts";
import {
  forced,
  forceInForce,
  reportTransition,
  reset,
  type Stamp,
} from "#lib/resilience/circuit/circuit-state.ts";
import { readCircuit, type SharedState, writeTransition } from "#lib/resilience/circuit/circuit-table.ts";
import { circuitPolicyFor, labelsOfCircuit } from "#lib/resilience/circuit/guarded-call.ts";
import type { CircuitBreakerConfig } from "#schemas/config/circuit-breaker.ts";
import type { CircuitCommand, CircuitView } from "#schemas/http/circuits.ts";
import type { CircuitRecord } from "#schemas/records/circuit.ts";

/*
 * What an operator sees of a circuit, and what an operator may do to it.
 */

/** A circuit as the API shows it at `now` (Unix ms). */
export function circuitView(
  { record, counts }: SharedState,
  config: CircuitBreakerConfig,
  now: number,
): CircuitView {
  const policy = circuitPolicyFor(config, labelsOfCircuit(record.key));
  const window = totalsOf([counts], windowStart(now, record.counted_from, policy));
  const { failures, calls, slow, damped, held, retry_calls } = window;
  const recovering_share = allowanceOf(record, [counts], policy, now)?.share ?? 1;
  const share = Math.min(recovering_share, throttledShare(window, policy));
  const orNull = (at: number | undefined) => (at === undefined ? null : instant(at));
  return {
    key: record.key,
    state: record.state,
    since: record.trail.at(-1)?.at ?? null,
    generation: record.generation,
    window: {
      seconds: policy.window_seconds,
      failures,
      calls,
      slow,
      damped: damped + held,
      retries: retry_calls,
    },
    admitted_share: record.state === "closed" ? share : 0,
    next_probe_at: record.state === "open" ? orNull(record.next_probe_at) : null,
    probe_until: orNull(record.probe_until),
    opens: record.opens,
    forced: forceInForce(record, now) ?? null,
    trail: record.trail,
  };
}

interface OperatorPorts extends TablePorts {
  runtime: Runtime;
  log: Log;
  counters?: Counters | undefined;
}

const TRIES_MAX = 5;

/**
 * Carries out an operator's command. Environments obey when they next read the circuit: within 1 s in trouble,
 * within 4 s otherwise. Undefined when there is no such circuit.
 *
 * @param by the id of the operator's API key
 * @throws RetryableFault `CIRCUIT_BUSY` when the circuit changed between reading and writing five times
 */
export async function commandCircuit(
  key: string,
  command: CircuitCommand,
  { by, policy_hash }: { by: string; policy_hash: string },
  ports: OperatorPorts,
): Promise<SharedState | undefined> {
  const { runtime, log, counters } = ports;
  for (let tries = 0; tries < TRIES_MAX; tries += 1) {
    const found = await readCircuit(key, ports);
    if (!found) return undefined;
    const stamp = { now: runtime.now(), writer: runtime.uuid(), policy_hash };
    const next = commanded(found.record, command, by, stamp);
    if (!(await writeTransition(next, stamp.now, ports))) continue;
    reportTransition(next, log, counters);
    return { ...found, record: next };
  }
  throw new RetryableFault("CIRCUIT_BUSY", `circuit ${key} keeps changing; send the command again`);
}

function commanded(
  record: CircuitRecord,
  { action, why, for_seconds }: CircuitCommand,
  by: string,
  stamp: Stamp,
): CircuitRecord {
  if (action === "reset") return reset(record, { by, why }, stamp);
  const until = for_seconds === undefined ? null : instant(stamp.now + for_seconds * 1000);
  const state = action === "force_open" ? "open" : "closed";
  return forced(record, { state, by, at: instant(stamp.now), why, until }, stamp);
}
