import { QueryCommand, ScanCommand } from "@aws-sdk/lib-dynamodb";
import { namesIn } from "#lib/platform/table/expressions.ts";
import { INDEXES, type ItemKind } from "#lib/platform/table/item-kind.ts";
import { type Item, listOf, OPEN_SHARDS, type Partition } from "#lib/platform/table/keys.ts";
import type { TablePorts } from "#lib/platform/table/operations.ts";

/** How a partition is read. An index is never read strongly consistent: it follows within a second or so. */
export interface QueryOptions {
  /** Sees every write that was answered before. */
  consistent?: boolean;
  /** From the last sort key to the first. */
  backwards?: boolean;
  /** Only these attributes of each item; `#name` for a name that DynamoDB reserves. */
  attributes?: readonly string[];
  /** Sort keys from the one to the other, both included; without a lower end from the first. */
  range?: { from?: string; to: string } | undefined;
  /** So many items a page; without it up to 1 MB of them. */
  items_max?: number | undefined;
  /** The place to go on behind. */
  after?: Item | undefined;
}

export interface QueryPage {
  items: Item[];
  /** The place of its last item; undefined when there are no more. */
  last: Item | undefined;
}

/** One request for items of a partition. */
export async function queryOnce(
  { index, value }: Partition,
  options: QueryOptions,
  { table, table_name }: TablePorts,
): Promise<QueryPage> {
  const { range, backwards, consistent } = options;
  const names = index ? INDEXES[index] : { partition: "pk", sort: "sk" };
  const placeholder = index ? ":partition" : ":pk";
  const { condition, values } = rangeOf(names.sort, range);
  const page = await table.send(
    new QueryCommand({
      TableName: table_name,
      IndexName: index,
      KeyConditionExpression: `${names.partition} = ${placeholder}${condition}`,
      ExpressionAttributeValues: { [placeholder]: value, ...values },
      ProjectionExpression: options.attributes?.join(", "),
      ExpressionAttributeNames: namesIn(options.attributes ? [...options.attributes] : []),
      ...(consistent && { ConsistentRead: true }),
      ...(backwards && { ScanIndexForward: false }),
      Limit: options.items_max,
      ExclusiveStartKey: options.after,
    }),
  );
  return { items: page.Items ?? [], last: page.LastEvaluatedKey };
}

function rangeOf(sort: string, range: QueryOptions["range"]): { condition: string; values: Item } {
  if (!range) return { condition: "", values: {} };
  const { from, to } = range;
  return from === undefined
    ? { condition: ` AND ${sort} <= :to`, values: { ":to": to } }
    : { condition: ` AND ${sort} BETWEEN :from AND :to`, values: { ":from": from, ":to": to } };
}

/** A partition page by page, as far as the caller reads. */
export async function* queryPages(
  partition: Partition,
  options: QueryOptions,
  ports: TablePorts,
): AsyncGenerator<QueryPage, void> {
  let after = options.after;
  do {
    const page = await queryOnce(partition, { ...options, after }, ports);
    yield page;
    after = page.last;
  } while (after);
}

/** All items of a partition: for those that have few. */
export async function queryAll(
  partition: Partition,
  options: QueryOptions,
  ports: TablePorts,
): Promise<Item[]> {
  const items: Item[] = [];
  for await (const page of queryPages(partition, options, ports)) items.push(...page.items);
  return items;
}

/** Every item of the table, in no order: for operators' commands, at the price of reading all of it. */
export async function* scanTable({ table, table_name }: TablePorts): AsyncGenerator<Item, void> {
  let ExclusiveStartKey: Item | undefined;
  do {
    const page = await table.send(
      new ScanCommand({ TableName: table_name, ConsistentRead: true, ExclusiveStartKey }),
    );
    yield* page.Items ?? [];
    ExclusiveStartKey = page.LastEvaluatedKey;
  } while (ExclusiveStartKey);
}

type OpenKind = ItemKind & { lists: { open_tasks: { partition: `${string}<shard>` } } };

/**
 * The keys of items in index `open_tasks` that are to be looked at by `now` (RFC 3339), at most `limit`, longest
 * overdue first in each of its partitions. One request for each partition.
 */
export async function queryOverdue(
  kind: OpenKind,
  now: string,
  limit: number,
  ports: TablePorts,
): Promise<Item[]> {
  const options = { range: { to: now }, items_max: Math.ceil(limit / OPEN_SHARDS) };
  const pages = await Promise.all(
    Array.from({ length: OPEN_SHARDS }, (_, shard) =>
      queryOnce(listOf(kind, "open_tasks", { shard }), options, ports),
    ),
  );
  return pages.flatMap(({ items }) => items);
}
