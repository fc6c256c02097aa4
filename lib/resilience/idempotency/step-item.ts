import { STEP } from "#lib/platform/table/items.ts";
import { type Item, keyOf, recordFields } from "#lib/platform/table/keys.ts";
import type { ClaimedItem } from "#lib/resilience/idempotency/claimed-item.ts";
import type { ClaimKey, StepIdentity } from "#lib/resilience/idempotency/claims.ts";
import { StepRecord } from "#schemas/records/step.ts";

/** A step item of the table as a record, without its keys. */
export function parseStepItem(item: Item): StepRecord {
  return StepRecord.parse(recordFields(item));
}

/** A step's record as an item that is claimed. */
export function stepItem(key: ClaimKey): ClaimedItem<StepRecord> {
  return { key: keyOf(STEP, key), name: `step ${key.step}`, parse: parseStepItem };
}

/** What the first write to a step record says of it; later writes leave these as they are. */
export function stepFields(identity: StepIdentity, at: string): Item {
  const { key, service, idempotency_key, source_hash } = identity;
  const { tenant, task_id, step, round } = key;
  return { tenant, task_id, step, round, service, idempotency_key, source_hash, started_at: at };
}
