import { ConditionalCheckFailedException } from "@aws-sdk/client-dynamodb";
import { type DynamoDBDocumentClient, GetCommand, QueryCommand, UpdateCommand } from "@aws-sdk/lib-dynamodb";
import { newCircuit } from "#lib/circuit/circuit-moves.ts";
import type { Traffic } from "#lib/circuit/traffic.ts";
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
  /** Parts of the window that are over, to be removed. */
  over: readonly string[];
}

const PARTITION = "CIRCUITS";
const KEPT_SECONDS = 30 * 86_400;
/** DynamoDB: an expression has 4 KB and 300 operators. */
const COLUMNS_MAX = 120;
const LISTED_MAX = 500;
const COLUMN = /^(\d+)\|(.+)$/;
const OPTIONAL = [
  "outage_began_at",
  "next_probe_at",
  "probe_owner",
  "probe_until",
  "closed_at",
  "recovering_until",
  "forced",
] as const;

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
    new GetCommand({ TableName: table_name, Key: { pk: PARTITION, sk: key }, ConsistentRead: true }),
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
  { traffic, streak, breaks_streak, over }: Contribution,
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
    ...initial.map(([name]) => `#${name} = if_not_exists(#${name}, :${name})`),
  ];
  const removed = over.slice(0, COLUMNS_MAX);
  const written = await table.send(
    new UpdateCommand({
      TableName: table_name,
      Key: { pk: PARTITION, sk: fresh.key },
      UpdateExpression: [
        `SET ${set.join(", ")}`,
        added.length > 0 ? `ADD ${added.map((_, index) => `#a${index} :a${index}`).join(", ")}` : "",
        removed.length > 0 ? `REMOVE ${removed.map((_, index) => `#r${index}`).join(", ")}` : "",
      ].join(" "),
      ExpressionAttributeNames: Object.fromEntries([
        ...names.map((name) => [`#${name}`, name]),
        ...added.map(([name], index) => [`#a${index}`, name]),
        ...removed.map((name, index) => [`#r${index}`, name]),
      ]),
      ExpressionAttributeValues: Object.fromEntries([
        ...initial.map(([name, value]) => [`:${name}`, value]),
        ...added.map(([, amount], index) => [`:a${index}`, amount]),
        [":streak", streak],
        [":expires_at", Math.ceil(now / 1000) + KEPT_SECONDS],
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

/**
 * Moves the circuit to `next`, of the generation after the one it was decided from. False when
 * somebody else moved it meanwhile.
 */
export async function moveCircuit(
  next: CircuitRecord,
  now: number,
  { table, table_name }: CircuitPorts,
): Promise<boolean> {
  const record = { ...next, expires_at: Math.ceil(now / 1000) + KEPT_SECONDS };
  const fields = Object.entries(record).filter(([, value]) => value !== undefined);
  const removed = OPTIONAL.filter((name) => record[name] === undefined);
  const before = next.generation - 1;
  const condition = "#generation = :before";
  try {
    await table.send(
      new UpdateCommand({
        TableName: table_name,
        Key: { pk: PARTITION, sk: next.key },
        UpdateExpression: [
          `SET ${fields.map(([name]) => `#${name} = :${name}`).join(", ")}`,
          removed.length > 0 ? `REMOVE ${removed.map((name) => `#${name}`).join(", ")}` : "",
        ].join(" "),
        ConditionExpression: before === 0 ? `attribute_not_exists(pk) OR ${condition}` : condition,
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
    // The SDK may have sent a write twice that took the first time.
    const found = await readCircuit(next.key, { table, table_name });
    return found?.record.generation === next.generation && found.record.writer === next.writer;
  }
}

/** Extends a probe's lease. False when the circuit has moved on without it. */
export async function renewProbe(
  { key, generation, probe_owner }: CircuitRecord,
  probe_until: number,
  { table, table_name }: CircuitPorts,
): Promise<boolean> {
  try {
    await table.send(
      new UpdateCommand({
        TableName: table_name,
        Key: { pk: PARTITION, sk: key },
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
