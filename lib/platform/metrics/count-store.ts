import { additions } from "#lib/platform/table/expressions.ts";
import { COUNTS } from "#lib/platform/table/items.ts";
import { keyOf, partitionOf, recordFields, sortFields } from "#lib/platform/table/keys.ts";
import { type TablePorts, updateItem } from "#lib/platform/table/operations.ts";
import { queryPages } from "#lib/platform/table/queries.ts";
import { expiryOf } from "#lib/platform/table/retention.ts";

/** What one service counted for one tenant, by metric. */
export interface CountRow {
  service: string;
  role: string;
  shard: string;
  slot: number;
  tenant: string;
  amounts: Map<string, number>;
}

/** The UTC day of a Unix time in ms, such as `2026-01-31`: the window of an item of counts. */
export function dayOf(now_ms: number): string {
  return new Date(now_ms).toISOString().slice(0, 10);
}

/**
 * Adds a row to its item, with one write. The item has a number for each metric, which the code bounds, and nothing
 * of other tenants, so it stays below 2 KB.
 */
export async function addCounts(row: CountRow, day: string, ports: TablePorts): Promise<void> {
  const { expression, names, values } = additions([...row.amounts]);
  const expires_at = expiryOf(COUNTS, Date.parse(day));
  const update = `ADD ${expression} SET expires_at = :expires_at`;
  await updateItem(
    keyOf(COUNTS, { ...row, day }),
    { update, names, values: { ...values, expires_at } },
    ports,
  );
}

/** A page holds a tenant's counts of a month and more; whatever is behind it is not read. */
const PAGES_MAX = 4;

/** A tenant's rows of all days that are kept, shards and slots each by itself: the reader adds them up. */
export async function readCounts(tenant: string, ports: TablePorts): Promise<CountRow[]> {
  const rows: CountRow[] = [];
  let pages = 0;
  for await (const { items } of queryPages(partitionOf(COUNTS, { tenant }), {}, ports)) {
    for (const item of items) {
      const { service, role, shard, slot } = sortFields(COUNTS, item);
      const { expires_at: _, ...amounts } = recordFields(item) as Record<string, number>;
      const numbers = new Map(Object.entries(amounts));
      rows.push({ service, role, shard, slot: Number(slot), tenant, amounts: numbers });
    }
    pages += 1;
    if (pages === PAGES_MAX) break;
  }
  return rows;
}
