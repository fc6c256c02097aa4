import type { TablePorts } from "#lib/platform/table/operations.ts";
import { moveWebhook, readWebhook } from "#lib/work/webhooks/webhook-store.ts";
import type { WebhookRecord } from "#schemas/records/webhook.ts";

const RACES_MAX = 5;

/** Ends what is sent to a webhook, unless its tenant changed its mind about it since it was read. */
export async function disable(
  seen: WebhookRecord,
  disabled_because: string,
  disabled_at: string,
  ports: TablePorts,
): Promise<void> {
  let webhook: WebhookRecord | undefined = seen;
  for (let races = 0; races < RACES_MAX && webhook && !webhook.disabled_at; races += 1) {
    const disabled = { ...webhook, disabled_at, disabled_because };
    if (await moveWebhook(webhook, disabled, ports)) return;
    webhook = await readWebhook(seen.tenant, seen.webhook_id, ports);
  }
}
