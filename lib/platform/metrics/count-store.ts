import {
  beginningOf,
  blockOf,
  blocksBetween,
  type CountWindow,
  hourOf,
  minuteOf,
} from "#lib/platform/metrics/count-windows.ts";
import { additions } from "#lib/platform/table/expressions.ts";
import { COUNTS, COUNTS_IN_TOTAL, COUNTS_OF_HOUR, COUNTS_PROGRESS } from "#lib/platform/table/items.ts";
import {
  type Item,
  keyOf,
  type Partition,
  partitionOf,
  recordFields,
  sortFields,
} from "#lib/platform/table/keys.ts";
import { getItem, type TablePorts, updateItem } from "#lib/platform/table/operations.ts";
import { queryPages } from "#lib/platform/table/queries.ts";
import { expiryOf } from "#lib/platform/table/retention.ts";

/** Whose counts they are. */
export interface CountLabels {
  service: string;
  role: string;
  shard: string;
  tenant: string;
}

/** What one service counted for one tenant, by sum. */
export interface CountRow extends CountLabels {
  amounts: Map<string, number>;
}

/** A row that waits to be written, by the environments of a slot. */
export interface SlotRow extends CountRow {
  slot: number;
}

/** Rows, and whether they are all there are: a reader stops after so many pages. */
export interface CountRows {
  rows: CountRow[];
  complete: boolean;
}

/** A page is 1 MB: some thousands of rows. */
const PAGES_MAX = 20;

/**
 * Adds a row to the item of the minute that is now, with one write. The item has a number for each sum that moved in that
 * minute, which the catalogue bounds, and nothing of other tenants, so it stays below 2 KB.
 */
export async function addCounts(row: SlotRow, now_ms: number, ports: TablePorts): Promise<void> {
  const { expression, names, values } = additions([...row.amounts]);
  const block = blockOf(now_ms);
  const expires_at = expiryOf(COUNTS, beginningOf(block));
  await updateItem(
    keyOf(COUNTS, { ...row, block, minute: minuteOf(now_ms) }),
    {
      update: `ADD ${expression} SET expires_at = :expires_at`,
      names,
      values: { ...values, expires_at },
    },
    ports,
  );
}

/** The last block that is in every total and hour; undefined before the first one is. */
export async function readProgress(ports: TablePorts): Promise<string | undefined> {
  const found = await getItem(keyOf(COUNTS_PROGRESS, {}), ports);
  return found?.rolled_up_to as string | undefined;
}

/** A row of one minute. */
export interface MinuteRow extends CountRow {
  minute: string;
}

/** All rows of a block; of one tenant, if one is given. */
export async function readBlock(
  block: string,
  tenant: string | undefined,
  ports: TablePorts,
  pages_max = PAGES_MAX,
): Promise<{ rows: MinuteRow[]; complete: boolean }> {
  const { items, complete } = await readItems(partitionOf(COUNTS, { block }), tenant, ports, pages_max);
  const rows = items.map((item) => {
    const { tenant: owner, minute, service, role, shard } = sortFields(COUNTS, item);
    return { tenant: owner, minute, service, role, shard, amounts: amountsOf(item) };
  });
  return { rows, complete };
}

/** What was counted in a window. `tenant`: only its rows. A row may come more than once: the reader adds them up. */
export async function readWindow(
  window: CountWindow,
  tenant: string | undefined,
  ports: TablePorts,
): Promise<CountRows> {
  const { from_ms, to_ms, resolution } = window;
  if (resolution === "minutes") return readMinutes(from_ms, to_ms, tenant, ports);
  const progress = await readProgress(ports);
  const hours = await readHours(from_ms, to_ms, tenant, ports);
  return withRecentBlocks(hours, { progress, to_ms, from_ms }, tenant, ports, (row) =>
    placeOf(row, hourOf(beginningOf(row.minute))),
  );
}

/** The rows of each minute from the one that holds `from_ms` on. */
export async function readMinutes(
  from_ms: number,
  to_ms: number,
  tenant: string | undefined,
  ports: TablePorts,
): Promise<{ rows: MinuteRow[]; complete: boolean }> {
  const from = minuteOf(from_ms);
  const blocks = await readBlocks(blocksBetween(from_ms, to_ms), tenant, ports);
  return { ...blocks, rows: blocks.rows.filter(({ minute }) => minute >= from) };
}

/** What was counted since ever. These numbers only grow, but for what an operator deletes. */
export async function readTotals(
  tenant: string | undefined,
  now_ms: number,
  ports: TablePorts,
): Promise<CountRows & { progress: string | undefined }> {
  const progress = await readProgress(ports);
  const { items, complete } = await readItems(partitionOf(COUNTS_IN_TOTAL, {}), tenant, ports);
  const rows = items.map((item) => {
    const { tenant: owner, service, role, shard } = sortFields(COUNTS_IN_TOTAL, item);
    const row = { tenant: owner, service, role, shard, amounts: amountsOf(item) };
    return { row, place: placeOf(row), rolled_up_to: String(item.rolled_up_to) };
  });
  const since = { progress, to_ms: now_ms, from_ms: 0 };
  const all = await withRecentBlocks({ rows, complete }, since, tenant, ports, (row) => placeOf(row));
  return { ...all, progress };
}

/** The rows added up by whose they are. */
export function addedUp(rows: readonly CountRow[]): CountRow[] {
  const sums = new Map<string, CountRow>();
  for (const { amounts, service, role, shard, tenant } of rows) {
    const place = placeOf({ service, role, shard, tenant });
    const sum = sums.get(place) ?? { service, role, shard, tenant, amounts: new Map() };
    sums.set(place, sum);
    for (const [name, amount] of amounts) sum.amounts.set(name, (sum.amounts.get(name) ?? 0) + amount);
  }
  return [...sums.values()];
}

interface SummedRow {
  row: CountRow;
  place: string;
  /** The last block in it. */
  rolled_up_to: string;
}

function placeOf({ tenant, service, role, shard }: CountLabels, hour = ""): string {
  return [tenant, hour, service, role, shard].join("#");
}

/** Blocks that nobody has added up yet are read back for so long, when the one that adds them up stands still. */
const UNSUMMED_MS_MAX = 7_200_000;

/**
 * Adds the minutes that are not in the sums yet. A block is in a sum that says so, also while the others of its time are
 * still being written, so none is counted twice.
 */
async function withRecentBlocks(
  summed: { rows: SummedRow[]; complete: boolean },
  { progress, from_ms, to_ms }: { progress: string | undefined; from_ms: number; to_ms: number },
  tenant: string | undefined,
  ports: TablePorts,
  placeOfMinute: (row: MinuteRow) => string,
): Promise<CountRows> {
  const oldest_ms = Math.max(from_ms, to_ms - UNSUMMED_MS_MAX);
  const since_ms = Math.max(oldest_ms, progress === undefined ? 0 : beginningOf(progress));
  const blocks = blocksBetween(since_ms, to_ms).filter((block) => progress === undefined || block > progress);
  const recent = await readBlocks(blocks, tenant, ports);
  const summed_to = new Map(summed.rows.map(({ place, rolled_up_to }) => [place, rolled_up_to]));
  const missing = recent.rows.filter((row) => {
    const to = summed_to.get(placeOfMinute(row));
    return to === undefined || blockOf(beginningOf(row.minute)) > to;
  });
  return {
    rows: [...summed.rows.map(({ row }) => row), ...missing],
    complete: summed.complete && recent.complete,
  };
}

async function readBlocks(blocks: readonly string[], tenant: string | undefined, ports: TablePorts) {
  const read = await Promise.all(blocks.map((block) => readBlock(block, tenant, ports)));
  return { rows: read.flatMap(({ rows }) => rows), complete: read.every(({ complete }) => complete) };
}

async function readHours(from_ms: number, to_ms: number, tenant: string | undefined, ports: TablePorts) {
  const first = hourOf(from_ms);
  const days = new Set<string>();
  for (let at_ms = from_ms; ; at_ms = Math.min(to_ms, at_ms + 86_400_000)) {
    days.add(hourOf(at_ms).slice(0, 10));
    if (at_ms === to_ms) break;
  }
  const read = await Promise.all(
    [...days].map((day) => readItems(partitionOf(COUNTS_OF_HOUR, { day }), tenant, ports)),
  );
  const rows = read
    .flatMap(({ items }) => items)
    .map((item) => {
      const { tenant: owner, hour, service, role, shard } = sortFields(COUNTS_OF_HOUR, item);
      const row = { tenant: owner, service, role, shard, amounts: amountsOf(item) };
      return { hour, row, place: placeOf(row, hour), rolled_up_to: String(item.rolled_up_to) };
    })
    .filter(({ hour }) => hour >= first);
  return { rows, complete: read.every(({ complete }) => complete) };
}

/** The items of a partition, or a tenant's, which is what their sort keys begin with. */
async function readItems(
  partition: Partition,
  tenant: string | undefined,
  ports: TablePorts,
  pages_max = PAGES_MAX,
): Promise<{ items: Item[]; complete: boolean }> {
  const options = tenant === undefined ? {} : { range: { from: `${tenant}#`, to: `${tenant}#~` } };
  const items: Item[] = [];
  let pages = 0;
  for await (const page of queryPages(partition, options, ports)) {
    items.push(...page.items);
    pages += 1;
    if (pages === pages_max) return { items, complete: page.last === undefined };
  }
  return { items, complete: true };
}

function amountsOf(item: Item): Map<string, number> {
  const { expires_at: _, rolled_up_to: __, ...amounts } = recordFields(item);
  return new Map(Object.entries(amounts as Record<string, number>));
}
