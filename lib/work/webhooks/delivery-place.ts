import { instant } from "#lib/platform/runtime/runtime.ts";
import { OPEN_PARTITIONS, taskPartition } from "#lib/platform/table/keys.ts";
import type { StepStorage } from "#lib/resilience/idempotency/step-item.ts";
import { DeliveryRecord } from "#schemas/records/delivery.ts";
import { StepRecord } from "#schemas/records/step.ts";

type Item = Record<string, unknown>;

/** How long a delivery may wait in all for a receiver that is away; anew when it is sent again on request. */
const DELIVERY_DAYS_MAX = 3;
const DAY_MS = 86_400_000;
/** A message is on its way for so long before it counts as lost. */
const ON_ITS_WAY_MS = 30_000;

export function deliveryKey(tenant: string, task_id: string, step: string): { pk: string; sk: string } {
  return { pk: taskPartition(tenant, task_id), sk: `DELIVERY#${step}` };
}

/** Partition of index `by_tenant` that lists a tenant's deliveries by when they were made. */
export function tenantDeliveriesPartition(tenant: string): string {
  return `DELIVERIES#${tenant}`;
}

/** Partitions of index `open_tasks` that list deliveries which have not ended, by when to look at them next. */
export const OPEN_DELIVERIES = Array.from({ length: OPEN_PARTITIONS }, (_, number) => openPartition(number));

function openPartition(number: number): string {
  return `OPEN_DELIVERIES#${number}`;
}

export function deadlineFrom(now_ms: number): string {
  return instant(now_ms + DELIVERY_DAYS_MAX * DAY_MS);
}

/** What lists a delivery that has not ended, to be looked at once its message should have arrived. */
export function openListing(task_id: string, now_ms: number): { gsi2pk: string; gsi2sk: string } {
  const number = task_id.charCodeAt(task_id.length - 1) % OPEN_PARTITIONS;
  return { gsi2pk: openPartition(number), gsi2sk: instant(now_ms + ON_ITS_WAY_MS) };
}

/** A delivery's item as a record, without its keys. */
export function parseDelivery(item: Item): DeliveryRecord {
  const { pk: _pk, sk: _sk, gsi1pk: _1, gsi1sk: _2, gsi2pk: _3, gsi2sk: _4, ...record } = item;
  return DeliveryRecord.parse(record);
}

/** What of it is a step's: a message that outlived its record may claim it without the rest. */
function parseStep(item: Item): StepRecord {
  const fields = Object.entries(item).filter(([name]) => Object.hasOwn(StepRecord.shape, name));
  return StepRecord.parse(Object.fromEntries(fields));
}

/** Deliveries are claimed as steps are, beside their task's ledger, and listed as long as they are open. */
export const deliveryPlace: StepStorage = {
  item: ({ tenant, task_id, step }) => ({
    key: deliveryKey(tenant, task_id, step),
    name: `delivery ${step}`,
    parse: parseStep,
  }),
  ended: () => ({ set: {}, remove: ["gsi2pk", "gsi2sk"] }),
  rearmed: ({ task_id }, now_ms) => ({
    set: { ...openListing(task_id, now_ms), deadline_at: deadlineFrom(now_ms), dispatch_count: 0 },
    remove: [],
  }),
};
