import { type DynamoDBDocumentClient, QueryCommand, UpdateCommand } from "@aws-sdk/lib-dynamodb";
import { type Counters, PLATFORM_TENANT } from "#lib/platform/metrics/counters.ts";

const PARTITION = "METRICS";
const TENANTS_MAX = 100;
const OTHER = "other";
/** DynamoDB: an expression has 4 KB. */
const COLUMNS_MAX = 200;

export interface RollupRow {
  service: string;
  role: string;
  shard: string;
  tenant: string;
  metric: string;
  value: number;
}

interface Ports {
  table: DynamoDBDocumentClient;
  table_name: string;
}

/** Tenants that already have columns in a rollup, per service; beyond the cap a tenant counts as `other`. */
const knownTenants = new Map<string, Set<string>>();

function columnTenant(service: string, tenant: string): string {
  const known = knownTenants.get(service);
  if (tenant === PLATFORM_TENANT) return tenant;
  return !known || known.has(tenant) || known.size < TENANTS_MAX ? tenant : OTHER;
}

/** Adds an invocation's counts to its service's totals: one write for 200 columns, whatever the number of messages. */
export async function writeRollup(
  labels: { service: string; role: string; shard: string },
  counters: Counters,
  { table, table_name }: Ports,
): Promise<void> {
  const entries = counters.entries();
  if (entries.length === 0) return;
  const sums = new Map<string, number>();
  for (const { metric, tenant, amount } of entries) {
    const column = `${metric}|${columnTenant(labels.service, tenant)}`;
    sums.set(column, (sums.get(column) ?? 0) + amount);
  }
  for (let start = 0; start < sums.size; start += COLUMNS_MAX) {
    await addColumns(labels, [...sums].slice(start, start + COLUMNS_MAX), { table, table_name });
  }
}

async function addColumns(
  labels: { service: string; role: string; shard: string },
  columns: [string, number][],
  { table, table_name }: Ports,
): Promise<void> {
  const written = await table.send(
    new UpdateCommand({
      TableName: table_name,
      Key: { pk: PARTITION, sk: `${labels.service}|${labels.role}|${labels.shard}` },
      UpdateExpression: `ADD ${columns.map((_, index) => `#c${index} :c${index}`).join(", ")}`,
      ExpressionAttributeNames: Object.fromEntries(columns.map(([name], index) => [`#c${index}`, name])),
      ExpressionAttributeValues: Object.fromEntries(columns.map(([, sum], index) => [`:c${index}`, sum])),
      ReturnValues: "ALL_NEW",
    }),
  );
  const tenants = Object.keys(written.Attributes ?? {}).map((name) => name.split("|")[1] ?? OTHER);
  knownTenants.set(labels.service, new Set(tenants));
}

/** All totals, one row for each service, role, shard, tenant and metric. */
export async function readRollups({ table, table_name }: Ports): Promise<RollupRow[]> {
  const items: Record<string, unknown>[] = [];
  let ExclusiveStartKey: Record<string, unknown> | undefined;
  do {
    const page = await table.send(
      new QueryCommand({
        TableName: table_name,
        KeyConditionExpression: "pk = :pk",
        ExpressionAttributeValues: { ":pk": PARTITION },
        ExclusiveStartKey,
      }),
    );
    items.push(...(page.Items ?? []));
    ExclusiveStartKey = page.LastEvaluatedKey;
  } while (ExclusiveStartKey);
  return items.flatMap(({ pk: _pk, sk, ...columns }) => {
    const [service = "", role = "", shard = ""] = String(sk).split("|");
    return Object.entries(columns).map(([name, value]) => {
      const [metric = "", tenant = ""] = name.split("|");
      return { service, role, shard, tenant, metric, value: Number(value) };
    });
  });
}
