import { addedUp, type CountRow, readBlock, readProgress } from "#lib/platform/metrics/count-store.ts";
import {
  BLOCK_MS,
  beginningOf,
  blockOf,
  blocksBetween,
  hourOf,
} from "#lib/platform/metrics/count-windows.ts";
import type { Runtime } from "#lib/platform/runtime/runtime.ts";
import { additions } from "#lib/platform/table/expressions.ts";
import { COUNTS_IN_TOTAL, COUNTS_OF_HOUR, COUNTS_PROGRESS } from "#lib/platform/table/items.ts";
import { type Key, keyOf } from "#lib/platform/table/keys.ts";
import { type TablePorts, updateIf } from "#lib/platform/table/operations.ts";
import { expiryOf } from "#lib/platform/table/retention.ts";

interface AddingPorts extends TablePorts {
  runtime: Pick<Runtime, "now">;
}

/** A block counts as finished so long after its end: no environment's clock is further behind, and no write takes longer. */
export const GRACE_MS = 120_000;
/** At most so many blocks are added up at a time; the next time goes on. */
const BLOCKS_MAX = 24;
const PLACES_AT_ONCE = 10;

/**
 * Adds the finished blocks of five minutes to the hours and totals: two writes for each tenant, service, role and shard that
 * counted anything in the block. May be killed anywhere, repeated, and run by several at once: each sum takes a block once,
 * on condition that it has none as late. Returns the number of blocks added up.
 */
export async function addUpCounts(ports: AddingPorts): Promise<number> {
  const last_ms = beginningOf(blockOf(ports.runtime.now() - GRACE_MS - BLOCK_MS));
  let progress = await readProgress(ports);
  const from_ms = progress === undefined ? last_ms - BLOCKS_MAX * BLOCK_MS : beginningOf(progress) + BLOCK_MS;
  const due = blocksBetween(from_ms, last_ms).slice(0, BLOCKS_MAX);
  for (const [done, block] of due.entries()) {
    const { rows } = await readBlock(block, undefined, ports, Number.POSITIVE_INFINITY);
    // One row for each place, because a place takes a block once.
    const places = addedUp(rows);
    for (let at = 0; at < places.length; at += PLACES_AT_ONCE) {
      await Promise.all(places.slice(at, at + PLACES_AT_ONCE).map((row) => addBlock(row, block, ports)));
    }
    if (!(await moveProgress(progress, block, ports))) return done;
    progress = block;
  }
  return due.length;
}

async function addBlock(row: CountRow, block: string, ports: AddingPorts): Promise<void> {
  const hour = hourOf(beginningOf(block));
  const of_hour = keyOf(COUNTS_OF_HOUR, { ...row, day: hour.slice(0, 10), hour });
  await Promise.all([
    addTo(of_hour, row, block, expiryOf(COUNTS_OF_HOUR, beginningOf(hour)), ports),
    addTo(keyOf(COUNTS_IN_TOTAL, row), row, block, expiryOf(COUNTS_IN_TOTAL, ports.runtime.now()), ports),
  ]);
}

async function addTo(key: Key, row: CountRow, block: string, expires_at: number, ports: TablePorts) {
  const { expression, names, values } = additions([...row.amounts]);
  await updateIf(
    key,
    {
      update: `ADD ${expression} SET rolled_up_to = :block, expires_at = :expires_at`,
      condition: "attribute_not_exists(rolled_up_to) OR rolled_up_to < :block",
      names,
      values: { ...values, block, expires_at },
    },
    ports,
  );
}

/** False when somebody else moved it: they add up the rest. */
async function moveProgress(from: string | undefined, to: string, ports: TablePorts): Promise<boolean> {
  const condition = from === undefined ? "attribute_not_exists(rolled_up_to)" : "rolled_up_to = :from";
  const values = from === undefined ? { to } : { from, to };
  const update = "SET rolled_up_to = :to";
  return (await updateIf(keyOf(COUNTS_PROGRESS, {}), { update, condition, values }, ports)) !== undefined;
}
