import { RetryableFault } from "#lib/platform/errors/fault.ts";
import type { Log } from "#lib/platform/log/log.ts";
import type { Counters } from "#lib/platform/metrics/counters.ts";
import { instant, type Runtime } from "#lib/platform/runtime/runtime.ts";
import { announce } from "#lib/resilience/circuit/announce.ts";
import { forced, reset, type Stamp } from "#lib/resilience/circuit/circuit-moves.ts";
import { type CircuitPorts, readCircuit, type SharedState } from "#lib/resilience/circuit/circuit-table.ts";
import { moveCircuit } from "#lib/resilience/circuit/move-circuit.ts";
import type { CircuitCommand } from "#schemas/http/circuits.ts";
import type { CircuitRecord } from "#schemas/records/circuit.ts";

interface CommandPorts extends CircuitPorts {
  runtime: Runtime;
  log: Log;
  counters?: Counters | undefined;
}

const TRIES_MAX = 5;

/**
 * An operator's word on a circuit. Environments obey with their next look at it: at once where there
 * is trouble, within 10 s elsewhere. Undefined when there is no such circuit.
 *
 * @param by the id of the API key
 * @throws RetryableFault `CIRCUIT_BUSY` when the circuit moved between reading and writing five times
 */
export async function commandCircuit(
  key: string,
  command: CircuitCommand,
  { by, policy_hash }: { by: string; policy_hash: string },
  ports: CommandPorts,
): Promise<SharedState | undefined> {
  const { runtime, log, counters } = ports;
  for (let tries = 0; tries < TRIES_MAX; tries += 1) {
    const found = await readCircuit(key, ports);
    if (!found) return undefined;
    const stamp = { now: runtime.now(), writer: runtime.uuid(), policy_hash };
    const next = obeyed(found.record, command, by, stamp);
    if (!(await moveCircuit(next, stamp.now, ports))) continue;
    announce(next, log, counters);
    return { ...found, record: next };
  }
  throw new RetryableFault("CIRCUIT_BUSY", `${key} changes all the time; send the command again`);
}

function obeyed(
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
