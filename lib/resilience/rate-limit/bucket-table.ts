import { ConditionalCheckFailedException } from "@aws-sdk/client-dynamodb";
import { type DynamoDBDocumentClient, GetCommand, UpdateCommand } from "@aws-sdk/lib-dynamodb";
import type { Runtime } from "#lib/platform/runtime/runtime.ts";
import { type BucketItem, type BucketKey, bucketItemKey } from "#lib/resilience/rate-limit/bucket-item.ts";
import type { LeaseWrite } from "#lib/resilience/rate-limit/plan-lease.ts";

export interface BucketTablePorts {
  table: DynamoDBDocumentClient;
  table_name: string;
  runtime: Pick<Runtime, "sleep">;
}

/** The buckets where all environments share them. Both throw when the table does not answer in time. */
export interface BucketTable {
  read(key: BucketKey, shard: number): Promise<BucketItem | undefined>;
  /** The item as it is after the write, and whose clock wrote it before; undefined: it was another by then. */
  write(
    key: BucketKey,
    shard: number,
    write: LeaseWrite,
  ): Promise<{ item: BucketItem; written_before_us: number } | undefined>;
}

const ANSWER_MS = 1000;
/** Longer than a day's count matters. */
const KEPT_SECONDS = 3 * 86_400;

export function bucketTable({ table, table_name, runtime }: BucketTablePorts): BucketTable {
  const inTime = <Answer>(send: (abortSignal: AbortSignal) => Promise<Answer>) =>
    answerInTime(send, ANSWER_MS, runtime);
  return {
    async read(key, shard) {
      const Key = bucketItemKey(key, shard);
      const command = new GetCommand({ TableName: table_name, Key, ConsistentRead: true });
      const { Item } = await inTime((abortSignal) => table.send(command, { abortSignal }));
      return Item as BucketItem | undefined;
    },
    async write(key, shard, write) {
      const command = new UpdateCommand({
        TableName: table_name,
        Key: bucketItemKey(key, shard),
        ...expressions(write),
        ReturnValues: "ALL_OLD",
      });
      try {
        const { Attributes } = await inTime((abortSignal) => table.send(command, { abortSignal }));
        return after(write, Attributes as BucketItem | undefined);
      } catch (error) {
        if (error instanceof ConditionalCheckFailedException) return undefined;
        throw error;
      }
    },
  };
}

function after({ when, next, cost_us, day_change }: LeaseWrite, old: BucketItem | undefined) {
  const written_before_us = old?.written_us ?? 0;
  const arrival_us = when === "drained" && old ? old.arrival_us + cost_us : next.arrival_us;
  const day_taken = old?.day_utc === next.day_utc ? old.day_taken + day_change : next.day_taken;
  return { item: { ...next, arrival_us, day_taken }, written_before_us };
}

/** The write in DynamoDB's words. What others add meanwhile is added to, never written over. */
function expressions({ when, seen, next, ...write }: LeaseWrite) {
  const values: Record<string, unknown> = {
    ":interval": next.interval_us,
    ":written": next.written_us,
    ":expires": Math.ceil(next.written_us / 1_000_000) + KEPT_SECONDS,
  };
  const sets = ["interval_us = :interval", "written_us = :written", "expires_at = :expires"];
  const conditions: string[] = [];
  const set = (text: string, name: string, value: unknown) => {
    sets.push(text);
    values[name] = value;
  };
  const must = (text: string, name: string, value: unknown) => {
    conditions.push(text);
    values[name] = value;
  };
  if (when === "drained") set("arrival_us = arrival_us + :cost", ":cost", write.cost_us);
  else set("arrival_us = :arrival", ":arrival", next.arrival_us);

  if (!seen) conditions.push("attribute_not_exists(pk)");
  else if (when === "recount") {
    must("interval_us = :seen_interval", ":seen_interval", seen.interval_us);
    must("arrival_us = :seen_arrival", ":seen_arrival", seen.arrival_us);
  } else {
    conditions.push("interval_us = :interval");
    must(when === "full" ? "arrival_us < :now" : "arrival_us >= :now", ":now", next.written_us);
    if (when === "drained") must("arrival_us <= :arrival_max", ":arrival_max", write.arrival_us_max);
  }
  if (seen?.day_utc === next.day_utc) {
    set("day_taken = day_taken + :taken", ":taken", write.day_change);
    must("day_utc = :day", ":day", next.day_utc);
    if (write.day_taken_max !== null) must("day_taken <= :taken_max", ":taken_max", write.day_taken_max);
  } else {
    set("day_taken = :taken", ":taken", next.day_taken);
    set("day_utc = :day", ":day", next.day_utc);
    if (seen) must("day_utc = :seen_day", ":seen_day", seen.day_utc);
  }
  return {
    UpdateExpression: `SET ${sets.join(", ")}`,
    ConditionExpression: conditions.join(" AND "),
    ExpressionAttributeValues: values,
  };
}

/** Throws when there is no answer within `timeout_ms`. What was sent may still take effect. */
async function answerInTime<Answer>(
  send: (abortSignal: AbortSignal) => Promise<Answer>,
  timeout_ms: number,
  runtime: Pick<Runtime, "sleep">,
): Promise<Answer> {
  const [call, timer] = [new AbortController(), new AbortController()];
  const late = runtime.sleep(timeout_ms, timer.signal).then(
    () => {
      call.abort();
      throw new Error(`the table did not answer within ${timeout_ms} ms`);
    },
    () => new Promise<never>(() => undefined), // the answer came first
  );
  try {
    return await Promise.race([send(call.signal), late]);
  } finally {
    timer.abort();
  }
}
