import { stepSortKey, taskPartition } from "#lib/platform/table/keys.ts";
import type { ClaimedItem } from "#lib/resilience/idempotency/claimed-item.ts";
import type { ClaimKey, StepIdentity } from "#lib/resilience/idempotency/claims.ts";
import { StepRecord } from "#schemas/records/step.ts";

/** A step item of the table as a record, without its keys. */
export function parseStepItem(item: Record<string, unknown>): StepRecord {
  const { pk: _pk, sk: _sk, gsi1pk: _gsi1pk, gsi1sk: _gsi1sk, ...record } = item;
  return StepRecord.parse(record);
}

/** A step's record as an item that is claimed. */
export function stepItem({ tenant, task_id, step, round }: ClaimKey): ClaimedItem<StepRecord> {
  return {
    key: { pk: taskPartition(tenant, task_id), sk: stepSortKey(step, round) },
    name: `step ${step}`,
    parse: parseStepItem,
  };
}

/** What the first write to a step record says of it; later writes leave these as they are. */
export function stepFields(identity: StepIdentity, at: string): Record<string, unknown> {
  const { key, service, idempotency_key, source_hash } = identity;
  const { tenant, task_id, step, round } = key;
  return { tenant, task_id, step, round, service, idempotency_key, source_hash, started_at: at };
}
