import { type DynamoDBDocumentClient, GetCommand, QueryCommand, UpdateCommand } from "@aws-sdk/lib-dynamodb";
import { newCircuit } from "#lib/resilience/circuit/circuit-moves.ts";
import type { Traffic } from "#lib/resilience/circuit/traffic.ts";
import type { Usual } from "#lib/resilience/circuit/well-rate.ts";
import { CircuitRecord } from "#schemas/records/circuit.ts";

export interface CircuitPorts {
  table: DynamoDBDocumentClient;
  table_name: string;
}

/** A circuit as all environments share it: its state, and what they counted. */
export interface SharedState {
  record: CircuitRecord;
  traffic: Traffic;
}

/** What one environment adds: counts, and its failures in a row since its last success. */
export interface Contribution {
  traffic: Traffic;
  streak: number;
  /** It saw a success before that streak: so the row of the others is broken. */
  breaks_streak: boolean;
  /** What is usual over all environments, as this one measured it while all was well. */
  well: Usual | undefined;
  /** Parts of the window that are over, to be removed. */
  over: readonly string[];
}

const PARTITION = "CIRCUITS";
/** DynamoDB: an expression has 4 KB and 300 operators. */
const COLUMNS_MAX = 120;
const LISTED_MAX = 500;
const COLUMN = /^(\d+)\|(.+)$/;

/** Unix time in s from when a circuit nobody calls through may go. */
export function circuitExpiry(now: number): number {
  return Math.ceil(now / 1000) + 30 * 86_400;
}

export function circuitItem(key: string): { pk: string; sk: string } {
  return { pk: PARTITION, sk: key };
}

function parse(item: Record<string, unknown>): SharedState {
  const fields: Record<string, unknown> = {};
  const traffic: Traffic = new Map();
  for (const [name, value] of Object.entries(item)) {
    const [, part, count] = COLUMN.exec(name) ?? [];
    if (part === undefined || count === undefined) fields[name] = value;
    else traffic.set(Number(part), (traffic.get(Number(part)) ?? new Map()).set(count, Number(value)));
  }
  const { pk: _pk, sk: _sk, ...record } = fields;
  return { record: CircuitRecord.parse(record), traffic };
}

export async function readCircuit(
  key: string,
  { table, table_name }: CircuitPorts,
): Promise<SharedState | undefined> {
  const found = await table.send(
    new GetCommand({ TableName: table_name, Key: circuitItem(key), ConsistentRead: true }),
  );
  return found.Item && parse(found.Item);
}

/** All circuits by key, at most 500. */
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
    states.push(...(page.Items ?? []).map(parse));
    from = page.LastEvaluatedKey;
  } while (from && states.length < LISTED_MAX);
  return states.slice(0, LISTED_MAX);
}

/** Adds an environment's counts and gives the circuit with everybody's: one write is the read too. */
export async function mergeCircuit(
  fresh: Pick<CircuitRecord, "key" | "tenant">,
  { traffic, streak, breaks_streak, well, over }: Contribution,
  now: number,
  { table, table_name }: CircuitPorts,
): Promise<SharedState> {
  const { streak: _streak, expires_at: _expires_at, ...absent } = newCircuit(fresh, now);
  const initial = Object.entries(absent).filter(([, value]) => value !== undefined);
  const added = columns(traffic);
  const names = ["streak", "expires_at", ...initial.map(([name]) => name)];
  const set = [
    breaks_streak ? "#streak = :streak" : "#streak = if_not_exists(#streak, :zero) + :streak",
    "#expires_at = :expires_at",
    ...(well ? ["#well_per_second = :per_second", "#well_in_flight = :in_flight"] : []),
    ...initial.map(([name]) => `#${name} = if_not_exists(#${name}, :${name})`),
  ];
  const removed = over.slice(0, COLUMNS_MAX);
  const written = await table.send(
    new UpdateCommand({
      TableName: table_name,
      Key: circuitItem(fresh.key),
      UpdateExpression: [
        `SET ${set.join(", ")}`,
        added.length > 0 ? `ADD ${added.map((_, index) => `#a${index} :a${index}`).join(", ")}` : "",
        removed.length > 0 ? `REMOVE ${removed.map((_, index) => `#r${index}`).join(", ")}` : "",
      ].join(" "),
      ExpressionAttributeNames: Object.fromEntries([
        ...names.map((name) => [`#${name}`, name]),
        ...(well ? ["well_per_second", "well_in_flight"].map((name) => [`#${name}`, name]) : []),
        ...added.map(([name], index) => [`#a${index}`, name]),
        ...removed.map((name, index) => [`#r${index}`, name]),
      ]),
      ExpressionAttributeValues: Object.fromEntries([
        ...initial.map(([name, value]) => [`:${name}`, value]),
        ...added.map(([, amount], index) => [`:a${index}`, amount]),
        ...(well
          ? [
              [":per_second", well.per_second],
              [":in_flight", well.in_flight],
            ]
          : []),
        [":streak", streak],
        [":expires_at", circuitExpiry(now)],
        ...(breaks_streak ? [] : [[":zero", 0]]),
      ]),
      ReturnValues: "ALL_NEW",
    }),
  );
  return parse(written.Attributes ?? {});
}

/** The largest columns when there are too many: what is cut off are tenants who hardly call. */
function columns(traffic: Traffic): [string, number][] {
  return [...traffic]
    .flatMap(([part, counts]) =>
      [...counts].map(([name, amount]): [string, number] => [`${part}|${name}`, amount]),
    )
    .sort(([one, a], [other, b]) => Number(isSlot(one)) - Number(isSlot(other)) || b - a)
    .slice(0, COLUMNS_MAX);
}

const isSlot = (column: string) => /\|[xy]\d+$/.test(column);
