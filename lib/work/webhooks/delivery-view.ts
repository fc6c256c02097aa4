import { instant } from "#lib/platform/runtime/runtime.ts";
import { deliveryId } from "#lib/work/webhooks/delivery-id.ts";
import type { DeliveryView } from "#schemas/http/webhooks.ts";
import { WebhooksOutput } from "#schemas/messages/webhooks.ts";
import type { DeliveryRecord } from "#schemas/records/delivery.ts";

/** A delivery as the API shows it. */
export function deliveryView(record: DeliveryRecord): DeliveryView {
  const { task_id, webhook_id, event, outcome, last_error, retry_at, status } = record;
  const failed = outcome ? (outcome.verdict === "passed" ? undefined : outcome) : last_error;
  return {
    delivery_id: deliveryId({ task_id, webhook_id, ending: event.data.ending }),
    webhook_id,
    task_id,
    type: event.type,
    state: stateOf(record),
    attempts: record.attempts,
    attempted_at: record.history.map(({ at }) => at),
    status_code: WebhooksOutput.safeParse(outcome?.output).data?.status_code ?? null,
    code: failed?.code ?? null,
    message: failed?.message ?? null,
    next_try_at: status === "waiting" && retry_at ? instant(retry_at) : null,
    created_at: record.started_at,
    ended_at: record.ended_at ?? null,
  };
}

function stateOf({
  status,
  outcome,
  attempts,
  parked_at,
  last_error,
}: DeliveryRecord): DeliveryView["state"] {
  if (status === "running") return "running";
  if (status === "waiting") {
    if (parked_at !== undefined) return "parked";
    return attempts === 0 && last_error === undefined ? "queued" : "waiting";
  }
  return outcome?.verdict === "passed" ? "delivered" : "failed";
}
