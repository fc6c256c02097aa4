import { HttpError } from "#lib/platform/errors/http-error.ts";
import type { Log } from "#lib/platform/log/log.ts";
import { instant } from "#lib/platform/runtime/runtime.ts";
import { DELIVERY } from "#lib/platform/table/items.ts";
import { listOf } from "#lib/platform/table/keys.ts";
import { queryPage } from "#lib/platform/table/query-page.ts";
import { isExpired } from "#lib/platform/table/retention.ts";
import { inSpan } from "#lib/platform/trace/span.ts";
import { type TraceContext, taskTrace } from "#lib/platform/trace/traceparent.ts";
import { rearmStep } from "#lib/resilience/idempotency/step-item.ts";
import type { TaskPorts } from "#lib/work/tasks/task-store.ts";
import { deliveryStep, deliveryView, parseDeliveryId, sendDelivery } from "#lib/work/webhooks/delivery.ts";
import { deliveryPlace, parseDelivery, readDelivery } from "#lib/work/webhooks/delivery-store.ts";
import type { DeliveryList, DeliveryView } from "#schemas/http/webhooks.ts";
import type { DeliveryRecord } from "#schemas/records/delivery.ts";
import type { GatewayPorts } from "./ports.ts";
import type { DeliveryQuery } from "./queries.ts";

/** A tenant's deliveries, newest first. */
export async function listDeliveries(
  tenant: string,
  query: DeliveryQuery,
  ports: TaskPorts,
): Promise<DeliveryList> {
  const { webhook, task, state, ...paging } = query;
  const now = ports.runtime.now();
  const read = (item: Record<string, unknown>) => {
    const record = parseDelivery(item);
    if (isExpired(record, now)) return undefined;
    const view = deliveryView(record);
    const meant =
      (webhook ?? view.webhook_id) === view.webhook_id &&
      (task ?? view.task_id) === view.task_id &&
      (state ?? view.state) === view.state;
    return meant ? view : undefined;
  };
  const filters = { webhook, task, state };
  const list = listOf(DELIVERY, "by_tenant", { tenant });
  const page = await queryPage(list, { ...paging, filters, read }, ports);
  return { deliveries: page.rows, next_cursor: page.next_cursor };
}

const REDELIVERIES_MAX = 100;

/**
 * Delivers an ended delivery once more, under the same id. Throws HttpError 404
 * `DELIVERY_NOT_FOUND`, for another tenant's too, 409 `DELIVERY_OPEN`, `REDELIVERIES_SPENT`.
 */
export async function redeliver(
  tenant: string,
  delivery_id: string,
  { request, log }: { request: TraceContext; log: Log },
  ports: GatewayPorts,
): Promise<DeliveryView> {
  const record = await findDelivery(tenant, delivery_id, ports);
  if (record.status !== "completed") throw stillOpen(record);
  if ((record.replays ?? []).length >= REDELIVERIES_MAX) {
    const said = `it was redelivered ${REDELIVERIES_MAX} times, which is the limit; read the task instead`;
    throw new HttpError("REDELIVERIES_SPENT", said);
  }
  const message_id = ports.runtime.uuid();
  const asked = { failure_id: `asked#${message_id}`, message_id };
  const rearmed = await rearmStep(record, asked, ports, deliveryPlace);
  const found = await findDelivery(tenant, delivery_id, ports);
  if (!rearmed) throw stillOpen(found); // a concurrent request re-armed it first
  request.recorder?.belongsTo(found);
  const trace = taskTrace(found, request.recorder);
  await inSpan(trace, { name: "redeliver" }, ports.runtime, (span) => {
    span.link(request);
    return sendDelivery(found, span, ports).catch((error: unknown) =>
      log.warn("DELIVERY_NOT_SENT", `the sweeper will send it: ${String(error)}`, { delivery_id }),
    );
  });
  return deliveryView(found);
}

async function findDelivery(
  tenant: string,
  delivery_id: string,
  ports: GatewayPorts,
): Promise<DeliveryRecord> {
  const name = parseDeliveryId(delivery_id);
  const record = name && (await readDelivery({ tenant, ...name, step: deliveryStep(name) }, ports));
  if (record) return record;
  throw new HttpError(
    "DELIVERY_NOT_FOUND",
    `there is no delivery ${delivery_id}; agents webhooks deliveries shows yours`,
  );
}

function stillOpen({ status, retry_at }: DeliveryRecord): HttpError {
  const when = status === "waiting" && retry_at ? `, next attempt at ${instant(retry_at)}` : "";
  return new HttpError("DELIVERY_OPEN", `the delivery has not ended yet${when}; wait until it has ended`);
}
