import { secretsInForce } from "#lib/work/webhooks/sign-webhook.ts";
import type { WebhookView } from "#schemas/http/webhooks.ts";
import type { WebhookRecord } from "#schemas/records/webhook.ts";

/** A webhook as the API shows it at a moment (Unix ms). */
export function webhookView(record: WebhookRecord, now_ms: number): WebhookView {
  const { webhook_id, tenant, name, url, created_at, created_by, disabled_at, disabled_because } = record;
  return {
    webhook_id,
    tenant,
    name,
    url,
    state: disabled_at ? "disabled" : "active",
    disabled_at: disabled_at ?? null,
    disabled_because: disabled_because ?? null,
    secrets: secretsInForce(record, now_ms).map(({ valid_until, ...secret }) => ({
      ...secret,
      valid_until: valid_until ?? null,
    })),
    created_at,
    created_by,
  };
}
