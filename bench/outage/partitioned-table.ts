import { type IndexName, queryItems, scanItems } from "#test/simulation/dynamodb/query.ts";
import { makeTable, type Table } from "#test/simulation/dynamodb/table.ts";

/**
 * The simulated table, kept by partition, so that a query of one partition does not read the
 * others: a bench has thousands of tasks. Its indexes follow at once.
 */
export function partitionedTable(now: () => number): Table {
  const partitions = new Map<string, Table>();
  const partitionOf = (pk: unknown): Table => {
    const name = String(pk);
    let partition = partitions.get(name);
    if (!partition) {
      partition = makeTable({ now, lag_ms: () => 0 });
      partitions.set(name, partition);
    }
    return partition;
  };
  function* items() {
    for (const partition of partitions.values()) yield* partition.items();
  }
  return {
    items,
    get: (key) => partitionOf(key.pk).get(key),
    put: (item, input) => partitionOf(item.pk).put(item, input),
    update: (key, input) => partitionOf(key.pk).update(key, input),
    scan: (limit, after) => scanItems(items(), limit, after),
    query(input) {
      if (input.IndexName as IndexName | undefined) return queryItems(items(), input);
      const name = /\bpk = (:\w+)/.exec(input.KeyConditionExpression ?? "")?.[1] ?? "";
      return partitionOf(input.ExpressionAttributeValues?.[name]).query(input);
    },
  };
}
