import type { Platform } from "#lib/agents/agent/platform.ts";
import type { TraceContext } from "#lib/platform/trace/traceparent.ts";
import { sendDelivery } from "#lib/work/webhooks/delivery.ts";
import { readDelivery } from "#lib/work/webhooks/delivery-store.ts";
import type { Envelope } from "#schemas/messages/envelope.ts";

/** Replaces an old message of a delivery that was given more time since. False when its time is over. */
export async function sendAnew(
  envelope: Envelope,
  parent: TraceContext,
  platform: Platform,
): Promise<boolean> {
  const { table_name } = platform.settings;
  const delivery = await readDelivery(envelope, { ...platform, table_name });
  if (!delivery || Date.parse(delivery.deadline_at) <= platform.runtime.now()) return false;
  await sendDelivery(delivery, parent, platform);
  return true;
}
