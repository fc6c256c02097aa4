import type { SendPorts } from "#lib/platform/messages/send-message.ts";
import type { Settings } from "#lib/platform/settings/environment.ts";
import type { TableClient } from "#lib/platform/table/operations.ts";
import type { TraceContext } from "#lib/platform/trace/traceparent.ts";
import { sendDelivery } from "#lib/work/webhooks/delivery.ts";
import { readDelivery } from "#lib/work/webhooks/delivery-store.ts";
import type { Envelope } from "#schemas/messages/envelope.ts";

interface SendAnewPorts extends SendPorts {
  table: TableClient;
  settings: Pick<Settings, "shard" | "table_name">;
}

/** Replaces an old message of a delivery that was given more time since. False when its time is over. */
export async function sendAnew(
  envelope: Envelope,
  parent: TraceContext,
  platform: SendAnewPorts,
): Promise<boolean> {
  const { table_name } = platform.settings;
  const delivery = await readDelivery(envelope, { ...platform, table_name });
  if (!delivery || Date.parse(delivery.deadline_at) <= platform.runtime.now()) return false;
  await sendDelivery(delivery, parent, platform);
  return true;
}
