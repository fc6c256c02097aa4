import { ConditionalCheckFailedException } from "@aws-sdk/client-dynamodb";
import { type DynamoDBDocumentClient, PutCommand } from "@aws-sdk/lib-dynamodb";
import type { Loaded } from "#lib/platform/config/config-file.ts";
import { idempotencyKey } from "#lib/platform/hash/source-hash.ts";
import { stepSourceHash } from "#lib/platform/messages/make-envelope.ts";
import { instant, type Runtime } from "#lib/platform/runtime/runtime.ts";
import { recordExpiry } from "#lib/platform/table/retention.ts";
import { deliveryStep } from "#lib/work/webhooks/delivery-id.ts";
import {
  deadlineFrom,
  deliveryKey,
  openListing,
  tenantDeliveriesPartition,
} from "#lib/work/webhooks/delivery-place.ts";
import { endingOf, taskEnded } from "#lib/work/webhooks/task-ended.ts";
import { listWebhooks } from "#lib/work/webhooks/webhook-store.ts";
import { WEBHOOKS } from "#lib/work/webhooks/webhooks-service.ts";
import type { ArtifactsConfig } from "#schemas/config/artifacts.ts";
import type { WebhooksInput } from "#schemas/messages/webhooks.ts";
import { DeliveryRecord } from "#schemas/records/delivery.ts";
import type { TaskRecord } from "#schemas/records/task.ts";
import type { WebhookRecord } from "#schemas/records/webhook.ts";

interface Ports {
  table: DynamoDBDocumentClient;
  table_name: string;
  runtime: Runtime;
  artifacts(): Loaded<ArtifactsConfig>;
}

/**
 * Writes down what is to be told to whom of an ended task, before the task shows as ended: from then on
 * the sweeper sees to it, whatever becomes of the messages. Safe to repeat.
 */
export async function openDeliveries(task: TaskRecord, ports: Ports): Promise<DeliveryRecord[]> {
  const webhooks = await listWebhooks(task.tenant, ports);
  const told = webhooks.filter(({ disabled_at }) => disabled_at === undefined);
  const deliveries = told.map((webhook) => newDelivery(task, webhook, ports));
  await Promise.all(deliveries.map((delivery) => write(delivery, ports)));
  return deliveries;
}

function newDelivery(task: TaskRecord, { webhook_id }: WebhookRecord, ports: Ports): DeliveryRecord {
  const { tenant, task_id } = task;
  const now = ports.runtime.now();
  const deadline_at = deadlineFrom(now);
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
    started_at: instant(now),
    traceparent: task.traceparent,
    ...(task.tracestate && { tracestate: task.tracestate }),
    deadline_at,
    dispatch_count: 0,
    expires_at: recordExpiry(deadline_at, ports.artifacts().value),
  };
}

/** One that is there already stays: it may have been delivered meanwhile. */
async function write(delivery: DeliveryRecord, { table, table_name, runtime }: Ports): Promise<void> {
  const { tenant, task_id, step, started_at } = delivery;
  const Item = {
    ...deliveryKey(tenant, task_id, step),
    gsi1pk: tenantDeliveriesPartition(tenant),
    gsi1sk: `${started_at}#${task_id}#${step}`,
    ...openListing(task_id, runtime.now()),
    ...DeliveryRecord.parse(delivery),
  };
  try {
    await table.send(
      new PutCommand({ TableName: table_name, Item, ConditionExpression: "attribute_not_exists(pk)" }),
    );
  } catch (error) {
    if (!(error instanceof ConditionalCheckFailedException)) throw error;
  }
}
