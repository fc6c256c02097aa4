import { answerInTime } from "#lib/platform/runtime/answer-in-time.ts";
import type { Runtime } from "#lib/platform/runtime/runtime.ts";
import { RATE_LIMIT } from "#lib/platform/table/items.ts";
import { type Item, keyOf } from "#lib/platform/table/keys.ts";
import {
  type Condition,
  getItem,
  type TablePorts,
  type Update,
  updateIf,
} from "#lib/platform/table/operations.ts";
import { expiryOf } from "#lib/platform/table/retention.ts";
import type { AllotmentWrite, BucketItem, BucketKey } from "#lib/resilience/rate-limit/bucket-plan.ts";

export interface BucketTablePorts extends TablePorts {
  runtime: Pick<Runtime, "sleep">;
}

/** The buckets that all environments share. Both operations throw when the table does not answer in time. */
export interface BucketTable {
  read(key: BucketKey, shard: number): Promise<BucketItem | undefined>;
  /** The item after the write, and when it was written before; undefined when the condition did not hold. */
  write(
    key: BucketKey,
    shard: number,
    write: AllotmentWrite,
  ): Promise<{ item: BucketItem; written_before_us: number } | undefined>;
}

const ANSWER_MS_MAX = 1000;

export function bucketTable(ports: BucketTablePorts): BucketTable {
  const inTime = <Answer>(send: (abortSignal: AbortSignal) => Promise<Answer>) =>
    answerInTime(send, ANSWER_MS_MAX, ports.runtime);
  return {
    async read(bucket, shard) {
      const key = keyOf(RATE_LIMIT, { ...bucket, shard });
      const found = await inTime((abortSignal) => getItem(key, ports, { abortSignal }));
      return found as BucketItem | undefined;
    },
    async write(bucket, shard, write) {
      const key = keyOf(RATE_LIMIT, { ...bucket, shard });
      const update = { ...expressionsOf(write), returns: "ALL_OLD" } as const;
      const before = await inTime((abortSignal) => updateIf(key, update, ports, { abortSignal }));
      return before && written(write, before);
    },
  };
}

function written({ when, next, cost_us, day_change }: AllotmentWrite, before: Item) {
  const old = before.written_us === undefined ? undefined : (before as unknown as BucketItem);
  const written_before_us = old?.written_us ?? 0;
  const arrival_us = when === "drained" && old ? old.arrival_us + cost_us : next.arrival_us;
  const day_taken = old?.day_utc === next.day_utc ? old.day_taken + day_change : next.day_taken;
  return { item: { ...next, arrival_us, day_taken }, written_before_us };
}

/** The write as expressions. What other environments add meanwhile is added to, never overwritten. */
function expressionsOf({ when, seen, next, ...write }: AllotmentWrite): Update & Condition {
  const values: Item = {
    interval: next.interval_us,
    written: next.written_us,
    expires: expiryOf(RATE_LIMIT, next.written_us / 1000),
  };
  const sets = ["interval_us = :interval", "written_us = :written", "expires_at = :expires"];
  const conditions: string[] = [];
  const add = (list: string[], text: string, name: string, value: unknown) => {
    list.push(text);
    values[name] = value;
  };
  if (when === "drained") add(sets, "arrival_us = arrival_us + :cost", "cost", write.cost_us);
  else add(sets, "arrival_us = :arrival", "arrival", next.arrival_us);

  if (!seen) conditions.push("attribute_not_exists(pk)");
  else if (when === "recount") {
    add(conditions, "interval_us = :seen_interval", "seen_interval", seen.interval_us);
    add(conditions, "arrival_us = :seen_arrival", "seen_arrival", seen.arrival_us);
  } else {
    conditions.push("interval_us = :interval");
    add(conditions, when === "full" ? "arrival_us < :now" : "arrival_us >= :now", "now", next.written_us);
    if (when === "drained") {
      add(conditions, "arrival_us <= :arrival_max", "arrival_max", write.arrival_us_max);
    }
  }
  if (seen?.day_utc === next.day_utc) {
    add(sets, "day_taken = day_taken + :taken", "taken", write.day_change);
    add(conditions, "day_utc = :day", "day", next.day_utc);
    if (write.day_taken_max !== null) {
      add(conditions, "day_taken <= :taken_max", "taken_max", write.day_taken_max);
    }
  } else {
    add(sets, "day_taken = :taken", "taken", next.day_taken);
    add(sets, "day_utc = :day", "day", next.day_utc);
    if (seen) add(conditions, "day_utc = :seen_day", "seen_day", seen.day_utc);
  }
  return {
    update: `SET ${sets.join(", ")}`,
    condition: conditions.join(" AND "),
    values,
  };
}
