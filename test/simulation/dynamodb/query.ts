import { compileCondition } from "./condition.ts";
import { copyValue, type Item } from "./values.ts";

export type IndexName = "by_tenant" | "open_tasks";

export interface QueryInput {
  IndexName?: string | undefined;
  KeyConditionExpression?: string | undefined;
  ExpressionAttributeNames?: Record<string, string> | undefined;
  ExpressionAttributeValues?: Record<string, unknown> | undefined;
  Limit?: number | undefined;
  ScanIndexForward?: boolean | undefined;
  ExclusiveStartKey?: Item | undefined;
}

export interface QueryPage {
  Items: Item[];
  LastEvaluatedKey?: Item;
}

/** Partition and sort key of the table and of each index, as serverless.yml declares them. */
const KEYS: Record<IndexName | "table", [string, string]> = {
  table: ["pk", "sk"],
  by_tenant: ["gsi1pk", "gsi1sk"],
  open_tasks: ["gsi2pk", "gsi2sk"],
};

/** The indexes that hold only the keys of their items. */
const KEYS_ONLY: readonly (string | undefined)[] = ["open_tasks" satisfies IndexName];

/** One page of items of a partition in the order of their sort key; an item without the key is not in the index. */
export function queryItems(items: Iterable<Item>, input: QueryInput): QueryPage {
  const [partition_name, sort_name] = KEYS[(input.IndexName as IndexName | undefined) ?? "table"];
  const condition = compileCondition(input.KeyConditionExpression ?? "");
  const scope = {
    names: input.ExpressionAttributeNames ?? {},
    values: input.ExpressionAttributeValues ?? {},
  };
  const found: Item[] = [];
  for (const item of items) {
    if (item[partition_name] === undefined || item[sort_name] === undefined) continue;
    if (condition({ item, ...scope })) found.push(item);
  }
  const direction = input.ScanIndexForward === false ? -1 : 1;
  const place = (item: Item) => `${item[sort_name]}\n${item.pk}\n${item.sk}`;
  const compare = (a: Item, b: Item) =>
    place(a) < place(b) ? -direction : place(a) > place(b) ? direction : 0;
  found.sort(compare);
  const start = input.ExclusiveStartKey;
  const rest = start ? found.filter((item) => compare(item, start) > 0) : found;
  const page = rest.slice(0, input.Limit ?? rest.length);
  const last = page.at(-1);
  const more = input.Limit !== undefined && page.length === input.Limit && last;
  const held = (item: Item) =>
    KEYS_ONLY.includes(input.IndexName) ? keysOf(item, partition_name, sort_name) : copyValue(item);
  return {
    Items: page.map(held),
    ...(more && { LastEvaluatedKey: keysOf(last, partition_name, sort_name) }),
  };
}

/** The first `limit` items behind a key, in the order of their keys. */
export function scanItems(items: Iterable<Item>, limit: number, after: Item | undefined): QueryPage {
  const place = ({ pk, sk }: Item) => `${pk}\n${sk}`;
  const found = [...items].filter((item) => !after || place(item) > place(after));
  const page = found.sort((one, other) => (place(one) < place(other) ? -1 : 1)).slice(0, limit);
  const last = page.at(-1);
  return {
    Items: page.map(copyValue),
    ...(last && page.length === limit && { LastEvaluatedKey: { pk: last.pk, sk: last.sk } }),
  };
}

function keysOf(item: Item, partition_name: string, sort_name: string): Item {
  return {
    pk: item.pk,
    sk: item.sk,
    [partition_name]: item[partition_name],
    [sort_name]: item[sort_name],
  };
}
