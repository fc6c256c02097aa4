import type { TraceContext } from "#lib/platform/trace/traceparent.ts";
import { sendDelivery } from "#lib/work/webhooks/delivery.ts";
import type { DeliveryRecord } from "#schemas/records/delivery.ts";
import type { OrchestratorPorts } from "./ports.ts";

/** Tells of a task that now shows as ended. What is not sent here is written down, and the sweeper sends it. */
export async function announce(
  deliveries: readonly DeliveryRecord[],
  parent: TraceContext,
  ports: OrchestratorPorts,
): Promise<void> {
  for (const delivery of deliveries) {
    await sendDelivery(delivery, parent, ports).catch((error: unknown) =>
      ports.log.warn("DELIVERY_NOT_SENT", `the sweeper will send ${delivery.step}: ${String(error)}`, {
        webhook_id: delivery.webhook_id,
      }),
    );
  }
}
