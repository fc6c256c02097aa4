import { ConditionalCheckFailedException } from "@aws-sdk/client-dynamodb";
import { type DynamoDBDocumentClient, GetCommand, QueryCommand, UpdateCommand } from "@aws-sdk/lib-dynamodb";
import {
  type CallCounts,
  columnsOf,
  type UnsharedCounts,
  type UsualLoad,
} from "#lib/resilience/circuit/call-counts.ts";
import { newCircuit } from "#lib/resilience/circuit/circuit-state.ts";
import { CircuitRecord } from "#schemas/records/circuit.ts";

/*
 * A circuit's item in the table: pk `CIRCUITS`, sk its key, the fields of `CircuitRecord`, and one number for
 * each count of each slice of the window, named `<start of the slice>|<count>`.
 */

export interface CircuitPorts {
  table: DynamoDBDocumentClient;
  table_name: string;
}

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

const PARTITION = "CIRCUITS";
/** DynamoDB limits an expression to 4 KB and 300 operators. What exceeds this are the smallest counts of tenants. */
const COLUMNS_MAX = 120;
const LISTED_MAX = 500;
const COLUMN = /^(\d+)\|(.+)$/;
const KEPT_SECONDS = 30 * 86_400;
/** Fields that a transition may take away. */
const OPTIONAL = [
  "outage_began_at",
  "next_probe_at",
  "probe_owner",
  "probe_until",
  "closed_at",
  "recovering_until",
  "steady_in_flight",
  "forced",
] as const;

export async function readCircuit(
  key: string,
  { table, table_name }: CircuitPorts,
): Promise<SharedState | undefined> {
  const found = await table.send(
    new GetCommand({ TableName: table_name, Key: itemKey(key), ConsistentRead: true }),
  );
  return found.Item && parseItem(found.Item);
}

/** All circuits in the order of their keys, at most 500. */
export async function listCircuits({ table, table_name }: CircuitPorts): Promise<SharedState[]> {
  const states: SharedState[] = [];
  let from: Record<string, unknown> | undefined;
  do {
    const page = await table.send(
      new QueryCommand({
        TableName: table_name,
        KeyConditionExpression: "pk = :pk",
        ExpressionAttributeValues: { ":pk": PARTITION },
        ExclusiveStartKey: from,
        Limit: LISTED_MAX,
      }),
    );
    states.push(...(page.Items ?? []).map(parseItem));
    from = page.LastEvaluatedKey;
  } while (from && states.length < LISTED_MAX);
  return states.slice(0, LISTED_MAX);
}

/** Adds one environment's counts and returns the circuit with the counts of all: the write is the read. */
export async function addCounts(
  circuit: Pick<CircuitRecord, "key" | "tenant">,
  { counts, streak, breaks_streak, usual, outdated }: Contribution,
  now: number,
  { table, table_name }: CircuitPorts,
): Promise<SharedState> {
  const { streak: _streak, expires_at: _expires_at, ...initial } = newCircuit(circuit, now);
  const expression = { names: new Map<string, string>(), values: new Map<string, unknown>() };
  const name = (field: string) => {
    const placeholder = `#f${expression.names.size}`;
    expression.names.set(placeholder, field);
    return placeholder;
  };
  const value = (of: unknown) => {
    const placeholder = `:v${expression.values.size}`;
    expression.values.set(placeholder, of);
    return placeholder;
  };
  const setIfAbsent = ([field, initially]: [string, unknown]) => {
    const placeholder = name(field);
    return `${placeholder} = if_not_exists(${placeholder}, ${value(initially)})`;
  };
  const streak_name = name("streak");
  const set = [
    breaks_streak
      ? `${streak_name} = ${value(streak)}`
      : `${streak_name} = if_not_exists(${streak_name}, ${value(0)}) + ${value(streak)}`,
    `${name("expires_at")} = ${value(expiryOf(now))}`,
    ...(usual ? [`${name("well_per_second")} = ${value(usual.per_second)}`] : []),
    ...(usual ? [`${name("well_in_flight")} = ${value(usual.in_flight)}`] : []),
    ...Object.entries(initial).map(setIfAbsent),
  ];
  const added = columnsOf(counts)
    .slice(0, COLUMNS_MAX)
    .map(([column, amount]) => `${name(column)} ${value(amount)}`);
  const removed = outdated.slice(0, COLUMNS_MAX).map(name);
  const written = await table.send(
    new UpdateCommand({
      TableName: table_name,
      Key: itemKey(circuit.key),
      UpdateExpression: [
        `SET ${set.join(", ")}`,
        added.length > 0 ? `ADD ${added.join(", ")}` : "",
        removed.length > 0 ? `REMOVE ${removed.join(", ")}` : "",
      ].join(" "),
      ExpressionAttributeNames: Object.fromEntries(expression.names),
      ExpressionAttributeValues: Object.fromEntries(expression.values),
      ReturnValues: "ALL_NEW",
    }),
  );
  return parseItem(written.Attributes ?? {});
}

/**
 * Writes a transition: `next` has the generation after the one it was made from. False when another transition
 * came first.
 */
export async function writeTransition(
  next: CircuitRecord,
  now: number,
  { table, table_name }: CircuitPorts,
): Promise<boolean> {
  const record = { ...next, expires_at: expiryOf(now) };
  const fields = Object.entries(record).filter(([, value]) => value !== undefined);
  const removed = OPTIONAL.filter((name) => record[name] === undefined);
  const before = next.generation - 1;
  const unmoved = "#generation = :before";
  try {
    await table.send(
      new UpdateCommand({
        TableName: table_name,
        Key: itemKey(next.key),
        UpdateExpression: [
          `SET ${fields.map(([name]) => `#${name} = :${name}`).join(", ")}`,
          removed.length > 0 ? `REMOVE ${removed.map((name) => `#${name}`).join(", ")}` : "",
        ].join(" "),
        ConditionExpression: before === 0 ? `attribute_not_exists(pk) OR ${unmoved}` : unmoved,
        ExpressionAttributeNames: Object.fromEntries(
          [...fields.map(([name]) => name), ...removed].map((name) => [`#${name}`, name]),
        ),
        ExpressionAttributeValues: Object.fromEntries([
          ...fields.map(([name, value]) => [`:${name}`, value]),
          [":before", before],
        ]),
      }),
    );
    return true;
  } catch (error) {
    if (!(error instanceof ConditionalCheckFailedException)) throw error;
    // The SDK repeats a write whose answer was lost: the first one may have succeeded.
    const found = await readCircuit(next.key, { table, table_name });
    return found?.record.generation === next.generation && found.record.writer === next.writer;
  }
}

/** Extends a probe's lease. False when the circuit has moved on without the probe. */
export async function renewProbe(
  { key, generation, probe_owner }: CircuitRecord,
  probe_until: number,
  { table, table_name }: CircuitPorts,
): Promise<boolean> {
  try {
    await table.send(
      new UpdateCommand({
        TableName: table_name,
        Key: itemKey(key),
        UpdateExpression: "SET probe_until = :until",
        ConditionExpression: "generation = :generation AND probe_owner = :owner",
        ExpressionAttributeValues: {
          ":until": probe_until,
          ":generation": generation,
          ":owner": probe_owner,
        },
      }),
    );
    return true;
  } catch (error) {
    if (error instanceof ConditionalCheckFailedException) return false;
    throw error;
  }
}

function itemKey(key: string): { pk: string; sk: string } {
  return { pk: PARTITION, sk: key };
}

/** Unix time in s from when an unused circuit may be deleted. */
function expiryOf(now: number): number {
  return Math.ceil(now / 1000) + KEPT_SECONDS;
}

function parseItem({ pk: _pk, sk: _sk, ...item }: Record<string, unknown>): SharedState {
  const record: Record<string, unknown> = {};
  const counts: CallCounts = new Map();
  for (const [name, value] of Object.entries(item)) {
    const [, slice, count] = COLUMN.exec(name) ?? [];
    if (slice === undefined || count === undefined) record[name] = value;
    else counts.set(Number(slice), (counts.get(Number(slice)) ?? new Map()).set(count, Number(value)));
  }
  return { record: CircuitRecord.parse(record), counts };
}
