import type { Loaded } from "#lib/platform/config/config-file.ts";
import { idempotencyKey } from "#lib/platform/hash/source-hash.ts";
import { stepSourceHash } from "#lib/platform/messages/envelope.ts";
import { instant, type Runtime } from "#lib/platform/runtime/runtime.ts";
import { INDEXES } from "#lib/platform/table/item-kind.ts";
import { DELIVERY } from "#lib/platform/table/items.ts";
import {
  type Item,
  type Key,
  keyOf,
  keyOfItem,
  type Listing,
  listingAttributes,
  listingOf,
  openShard,
} from "#lib/platform/table/keys.ts";
import { getItem, NEW, putIf, type TablePorts, updateIf } from "#lib/platform/table/operations.ts";
import { queryOverdue } from "#lib/platform/table/queries.ts";
import { readRecord } from "#lib/platform/table/read-record.ts";
import { isExpired, recordExpiry } from "#lib/platform/table/retention.ts";
import type { StepStorage } from "#lib/resilience/idempotency/step-item.ts";
import { deliveryStep, endingOf, taskEnded, WEBHOOKS } from "#lib/work/webhooks/delivery.ts";
import { listWebhooks } from "#lib/work/webhooks/webhook-store.ts";
import type { ArtifactsConfig } from "#schemas/config/artifacts.ts";
import type { WebhooksInput } from "#schemas/messages/webhooks.ts";
import { DeliveryRecord } from "#schemas/records/delivery.ts";
import { StepRecord } from "#schemas/records/step.ts";
import type { TaskRecord } from "#schemas/records/task.ts";
import type { WebhookRecord } from "#schemas/records/webhook.ts";

export interface DeliveryPorts extends TablePorts {
  runtime: Runtime;
}

/** The attribute that says when the sweeper is to look at a delivery. */
const CHECK_AT = INDEXES.open_tasks.sort;
/** How long a delivery may wait in all for an absent receiver; counted again when it is redelivered. */
const DELIVERY_DAYS_MAX = 3;
const DAY_MS = 86_400_000;
/** A message that has not arrived after so long counts as lost. */
const ARRIVAL_MS_MAX = 30_000;

export function deadlineFrom(now_ms: number): string {
  return instant(now_ms + DELIVERY_DAYS_MAX * DAY_MS);
}

/** A delivery's item as a record, without its keys. */
export function parseDelivery(item: Item): DeliveryRecord {
  return readRecord(DeliveryRecord, item);
}

/** Lists a delivery that has not ended, for the sweeper to look at once its message should have arrived. */
function openListing(task_id: string, now_ms: number): Listing<"open_tasks"> {
  const check_at = instant(now_ms + ARRIVAL_MS_MAX);
  return listingOf(DELIVERY, "open_tasks", { shard: openShard(task_id), check_at });
}

/** Deliveries are claimed as steps are, in their task's partition, and listed as long as they are open. */
export const deliveryPlace: StepStorage = {
  item: (key) => ({ key: keyOf(DELIVERY, key), name: `delivery ${key.step}`, parse: parseStep }),
  ended: () => ({ set: {}, remove: listingAttributes("open_tasks") }),
  rearmed: ({ task_id }, now_ms) => ({
    set: { ...openListing(task_id, now_ms), deadline_at: deadlineFrom(now_ms), dispatch_count: 0 },
    remove: [],
  }),
};

/** A delivery's fields as a step; a message that outlived its record may have claimed it without the rest. */
function parseStep(item: Item): StepRecord {
  const fields = Object.entries(item).filter(([name]) => Object.hasOwn(StepRecord.shape, name));
  return StepRecord.parse(Object.fromEntries(fields));
}

/**
 * Records a delivery of an ended task for each enabled webhook, before the task shows as ended: from then on
 * the sweeper sends what was not sent, whatever becomes of the messages. Safe to repeat.
 */
export async function openDeliveries(
  task: TaskRecord,
  ports: DeliveryPorts & { artifacts(): Loaded<ArtifactsConfig> },
): Promise<DeliveryRecord[]> {
  const now_ms = ports.runtime.now();
  const webhooks = await listWebhooks(task.tenant, ports);
  const deliveries = webhooks
    .filter(({ disabled_at }) => disabled_at === undefined)
    .map((webhook) => newDelivery(task, webhook, now_ms, ports.artifacts().value));
  await Promise.all(deliveries.map((delivery) => createDelivery(delivery, ports)));
  return deliveries;
}

function newDelivery(
  task: TaskRecord,
  { webhook_id }: WebhookRecord,
  now_ms: number,
  retention: ArtifactsConfig,
): DeliveryRecord {
  const { tenant, task_id } = task;
  const deadline_at = deadlineFrom(now_ms);
  const input: WebhooksInput = { webhook_id, event: taskEnded(task) };
  const key = { tenant, task_id, step: deliveryStep({ webhook_id, ending: endingOf(task) }), round: 0 };
  const source_hash = stepSourceHash(WEBHOOKS, input);
  return {
    ...key,
    ...input,
    service: WEBHOOKS,
    status: "waiting",
    idempotency_key: idempotencyKey({ ...key, source_hash }),
    source_hash,
    owner: "nobody",
    fence: 1,
    lease_expires_at: 0,
    retry_at: 0,
    attempts: 0,
    history: [],
    started_at: instant(now_ms),
    traceparent: task.traceparent,
    ...(task.tracestate && { tracestate: task.tracestate }),
    deadline_at,
    dispatch_count: 0,
    expires_at: recordExpiry(deadline_at, retention),
  };
}

/** Leaves an existing record as it is: it may have been delivered meanwhile. */
async function createDelivery(delivery: DeliveryRecord, ports: DeliveryPorts): Promise<void> {
  const item = {
    ...keyOf(DELIVERY, delivery),
    ...listingOf(DELIVERY, "by_tenant", delivery),
    ...openListing(delivery.task_id, ports.runtime.now()),
    ...DeliveryRecord.parse(delivery),
  };
  await putIf(item, NEW, ports);
}

/** A delivery; undefined when there is none, or its time is over. */
export async function readDelivery(
  key: Pick<DeliveryRecord, "tenant" | "task_id" | "step">,
  ports: DeliveryPorts,
): Promise<DeliveryRecord | undefined> {
  return readAt(keyOf(DELIVERY, key), ports);
}

async function readAt(key: Key, ports: DeliveryPorts): Promise<DeliveryRecord | undefined> {
  const found = await getItem(key, ports);
  if (found?.event === undefined) return undefined; // what a stray message claimed after the record was gone
  const record = parseDelivery(found);
  return isExpired(record, ports.runtime.now()) ? undefined : record;
}

/** Where a delivery is whose time to be looked at has come, and that time. */
export interface OverdueDelivery {
  key: Key;
  check_at: string;
}

/** Longest overdue first in each partition of the index. */
export async function overdueDeliveries(limit: number, ports: DeliveryPorts): Promise<OverdueDelivery[]> {
  const items = await queryOverdue(DELIVERY, instant(ports.runtime.now()), limit, ports);
  return items.map((item) => ({ key: keyOfItem(item), check_at: String(item[CHECK_AT]) }));
}

/** The delivery itself; undefined when it has ended since, or its time is over: the index follows later. */
export async function readOverdue(
  { key }: OverdueDelivery,
  ports: DeliveryPorts,
): Promise<DeliveryRecord | undefined> {
  const record = await readAt(key, ports);
  return record?.status === "completed" ? undefined : record;
}

/**
 * Looks at a delivery again at `check_ms` (Unix time). False when another sweeper moved it meanwhile: of
 * two, one goes on. The index lags behind, so the time that was read is the condition.
 */
export async function postponeDelivery(
  { key, check_at }: OverdueDelivery,
  check_ms: number,
  dispatch_count: number,
  ports: DeliveryPorts,
): Promise<boolean> {
  const written = await updateIf(
    key,
    {
      update: `SET ${CHECK_AT} = :next, dispatch_count = :dispatch_count`,
      condition: `${CHECK_AT} = :seen`,
      values: { next: instant(check_ms), seen: check_at, dispatch_count },
    },
    ports,
  );
  return written !== undefined;
}
