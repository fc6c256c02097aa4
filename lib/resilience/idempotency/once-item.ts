import { TerminalFault } from "#lib/platform/errors/fault.ts";
import { IDEMPOTENCY } from "#lib/platform/table/items.ts";
import { type Item, keyOf, recordFields } from "#lib/platform/table/keys.ts";
import type { ClaimedItem } from "#lib/resilience/idempotency/claimed-item.ts";
import type { IdempotencyRecord } from "#schemas/records/idempotency.ts";

/** DynamoDB: a partition key has up to 2,048 bytes. */
const KEY_BYTES_MAX = 1500;

/**
 * The item of one key: a partition of its own, so that no number of keys makes one partition hot.
 * @throws TerminalFault `IDEMPOTENCY_KEY_UNUSABLE`
 */
export function onceItem(namespace: string, key: string): ClaimedItem<IdempotencyRecord> {
  const bytes = Buffer.byteLength(key);
  if (bytes === 0 || bytes > KEY_BYTES_MAX) {
    throw new TerminalFault(
      "IDEMPOTENCY_KEY_UNUSABLE",
      `an idempotency key of ${namespace} has 1 to ${KEY_BYTES_MAX} bytes, not ${bytes}: use the id of what is done, or its hash`,
    );
  }
  return {
    key: keyOf(IDEMPOTENCY, { namespace, key }),
    name: `${namespace} ${key}`,
    parse: parseRecord,
  };
}

/** Past its time, and nobody at work on it: it counts as absent whether or not TTL has removed it. */
export function isExpired(record: IdempotencyRecord, now_ms: number): boolean {
  const leased = record.status === "running" && record.lease_expires_at >= now_ms;
  return !leased && record.expires_at * 1000 <= now_ms;
}

/** Checks what a claim decides by, without the schema: zod would make up nine tenths of a user's bundle. */
function parseRecord(item: Item): IdempotencyRecord {
  const record = recordFields(item);
  const { status, source_hash, owner, fence, attempts, lease_expires_at, expires_at } = record;
  const texts = [status, source_hash, owner].every((value) => typeof value === "string");
  const numbers = [fence, attempts, lease_expires_at, expires_at].every((value) => typeof value === "number");
  if (!texts || !numbers) throw new TypeError(`the item ${item.pk} is no idempotency record`);
  return record as unknown as IdempotencyRecord;
}
