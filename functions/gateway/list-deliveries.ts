import { DELIVERY } from "#lib/platform/table/items.ts";
import { listOf } from "#lib/platform/table/keys.ts";
import { queryPage } from "#lib/platform/table/query-page.ts";
import { isExpired } from "#lib/platform/table/retention.ts";
import type { TaskPorts } from "#lib/work/tasks/task-store.ts";
import { deliveryView } from "#lib/work/webhooks/delivery.ts";
import { parseDelivery } from "#lib/work/webhooks/delivery-store.ts";
import type { DeliveryList } from "#schemas/http/webhooks.ts";
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
