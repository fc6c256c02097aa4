import { additions, assignments, removals } from "#lib/platform/table/expressions.ts";
import { CIRCUIT } from "#lib/platform/table/items.ts";
import { type Item, keyOf, partitionOf, recordFields } from "#lib/platform/table/keys.ts";
import { ADDED_AND_REMOVED_MAX } from "#lib/platform/table/limits.ts";
import { getItem, type TablePorts, updateIf, updateItem } from "#lib/platform/table/operations.ts";
import { queryPages } from "#lib/platform/table/queries.ts";
import { expiryOf } from "#lib/platform/table/retention.ts";
import {
  type CallCounts,
  columnsOf,
  type UnsharedCounts,
  type UsualLoad,
} from "#lib/resilience/circuit/call-counts.ts";
import { newCircuit } from "#lib/resilience/circuit/circuit-state.ts";
import { CircuitRecord } from "#schemas/records/circuit.ts";

/*
 * A circuit's item in the table: the fields of `CircuitRecord`, and one number for each count of each slice of the
 * window, named `<start of the slice>|<count>`.
 */

/** A circuit as all environments share it: its record, and the calls they counted. */
export interface SharedState {
  record: CircuitRecord;
  counts: CallCounts;
}

/** What one environment adds to the shared counts. */
interface Contribution extends UnsharedCounts {
  /** The usual load of the whole fleet, when this environment measured it. */
  usual: UsualLoad | undefined;
  /** Columns of slices that the window has left; they are removed. */
  outdated: readonly string[];
}

const LISTED_MAX = 500;
const COLUMN = /^(\d+)\|(.+)$/;

export async function readCircuit(key: string, ports: TablePorts): Promise<SharedState | undefined> {
  const found = await getItem(keyOf(CIRCUIT, { key }), ports);
  return found && parseItem(found);
}

/** All circuits in the order of their keys, at most 500. */
export async function listCircuits(ports: TablePorts): Promise<SharedState[]> {
  const states: SharedState[] = [];
  for await (const { items } of queryPages(partitionOf(CIRCUIT, {}), { items_max: LISTED_MAX }, ports)) {
    states.push(...items.map(parseItem));
    if (states.length >= LISTED_MAX) break;
  }
  return states.slice(0, LISTED_MAX);
}

/** Adds one environment's counts and returns the circuit with the counts of all: the write is the read. */
export async function addCounts(
  circuit: Pick<CircuitRecord, "key" | "tenant">,
  { counts, streak, breaks_streak, usual, outdated }: Contribution,
  now: number,
  ports: TablePorts,
): Promise<SharedState> {
  const { streak: _streak, expires_at: _expires_at, ...rest } = newCircuit(circuit, now);
  const initial = assignments(rest, "if absent");
  const written = assignments({
    expires_at: expiryOf(CIRCUIT, now),
    ...(usual && { well_per_second: usual.per_second, well_in_flight: usual.in_flight }),
  });
  // What exceeds the limit are the smallest counts of tenants.
  const added = additions(columnsOf(counts).slice(0, ADDED_AND_REMOVED_MAX));
  const removed = removals(outdated.slice(0, ADDED_AND_REMOVED_MAX));
  const updated = await updateItem(
    keyOf(CIRCUIT, circuit),
    {
      update: [
        `SET #streak = ${breaks_streak ? ":streak" : "if_not_exists(#streak, :zero) + :streak"}`,
        `, ${written.expression}, ${initial.expression}`,
        added.expression && ` ADD ${added.expression}`,
        removed.expression && ` REMOVE ${removed.expression}`,
      ].join(""),
      names: { ...added.names, ...removed.names },
      values: {
        ...initial.values,
        ...written.values,
        ...added.values,
        streak,
        ...(!breaks_streak && { zero: 0 }),
      },
      returns: "ALL_NEW",
    },
    ports,
  );
  return parseItem(updated);
}

/**
 * Writes a transition: its fields, without those that are undefined in it. `next` has the generation after the one it was made from. False when another transition
 * came first.
 */
export async function writeTransition(next: CircuitRecord, now: number, ports: TablePorts): Promise<boolean> {
  const fields = Object.entries({ ...next, expires_at: expiryOf(CIRCUIT, now) });
  const { expression, values } = assignments(
    Object.fromEntries(fields.filter(([, value]) => value !== undefined)),
  );
  const removed = fields.filter(([, value]) => value === undefined).map(([name]) => `#${name}`);
  const before = next.generation - 1;
  const unmoved = "#generation = :before";
  const written = await updateIf(
    keyOf(CIRCUIT, next),
    {
      update: [`SET ${expression}`, removed.length > 0 ? `REMOVE ${removed.join(", ")}` : ""].join(" "),
      condition: before === 0 ? `attribute_not_exists(pk) OR ${unmoved}` : unmoved,
      values: { ...values, before },
    },
    ports,
  );
  if (written) return true;
  // The SDK repeats a write whose answer was lost: the first one may have succeeded.
  const found = await readCircuit(next.key, ports);
  return found?.record.generation === next.generation && found.record.writer === next.writer;
}

/** Extends a probe's lease. False when the circuit has moved on without the probe. */
export async function renewProbe(
  circuit: CircuitRecord,
  probe_until: number,
  ports: TablePorts,
): Promise<boolean> {
  const { generation, probe_owner } = circuit;
  const written = await updateIf(
    keyOf(CIRCUIT, circuit),
    {
      update: "SET probe_until = :until",
      condition: "generation = :generation AND probe_owner = :owner",
      values: { until: probe_until, generation, owner: probe_owner },
    },
    ports,
  );
  return written !== undefined;
}

function parseItem(item: Item): SharedState {
  const record: Record<string, unknown> = {};
  const counts: CallCounts = new Map();
  for (const [name, value] of Object.entries(recordFields(item))) {
    const [, slice, count] = COLUMN.exec(name) ?? [];
    if (slice === undefined || count === undefined) record[name] = value;
    else counts.set(Number(slice), (counts.get(Number(slice)) ?? new Map()).set(count, Number(value)));
  }
  return { record: CircuitRecord.parse(record), counts };
}
