import { type SendPorts, sendMessage } from "#lib/platform/messages/send-message.ts";
import type { TraceContext } from "#lib/platform/trace/traceparent.ts";
import { WEBHOOKS } from "#lib/work/webhooks/webhooks-service.ts";
import type { WebhooksInput } from "#schemas/messages/webhooks.ts";
import type { DeliveryRecord } from "#schemas/records/delivery.ts";

/** Sends a delivery's message. The record's claim stops a copy too many. */
export async function sendDelivery(
  { tenant, task_id, step, webhook_id, event, deadline_at, dispatch_count }: DeliveryRecord,
  parent: TraceContext,
  ports: SendPorts,
): Promise<void> {
  const payload: WebhooksInput = { webhook_id, event };
  const place = { service: WEBHOOKS, tenant, task_id, step, round: 0 };
  await sendMessage({ ...place, attempt: dispatch_count, payload, deadline_at, parent }, ports);
}
