import { withAudit } from "#lib/http/audit/with-audit.ts";
import { HttpError } from "#lib/platform/errors/http-error.ts";
import { readUrl } from "#lib/platform/outbound/read-url.ts";
import { resolveHost } from "#lib/platform/outbound/resolve-host.ts";
import { instant } from "#lib/platform/runtime/runtime.ts";
import { listWebhooks, createWebhook as write } from "#lib/work/webhooks/webhook-store.ts";
import type { NewWebhook, WebhookRequest } from "#schemas/http/webhooks.ts";
import type { WebhookRecord } from "#schemas/records/webhook.ts";
import type { WebhookAdmin } from "./webhook-admin.ts";
import { webhookView } from "./webhook-view.ts";

/**
 * Makes a webhook of the caller's tenant and shows its secret, once. Throws HttpError 422
 * `WEBHOOK_URL_FORBIDDEN`, 409 `WEBHOOKS_TOO_MANY`.
 */
export async function createWebhook(
  { name, url: text }: WebhookRequest,
  admin: WebhookAdmin,
): Promise<NewWebhook> {
  const { tenant, subject, policy, ports } = admin;
  const url = await allowedUrl(text, admin);
  const { length } = await listWebhooks(tenant, ports);
  // A few more than allowed may pass at the same moment.
  if (length >= policy.webhooks_per_tenant_max) {
    throw new HttpError(
      409,
      "WEBHOOKS_TOO_MANY",
      `tenant ${tenant} has ${length} webhooks, which is the limit; delete one that nobody uses`,
    );
  }
  const now = ports.runtime.now();
  const record: WebhookRecord = {
    webhook_id: ports.runtime.hex(8),
    tenant,
    name,
    url,
    secrets: [{ number: 1, created_at: instant(now) }],
    created_at: instant(now),
    created_by: subject,
    revision: 1,
  };
  const note = admin.note("webhook.create", record.webhook_id, { name, host: new URL(url).host });
  await withAudit(note, ports, () => write(record, ports));
  return { ...webhookView(record, now), secret: admin.secretOf(record) };
}

/** The URL as it will be used. A name that cannot be resolved now is judged when something is sent to it. */
async function allowedUrl(text: string, { rules }: WebhookAdmin): Promise<string> {
  const read = readUrl(text, rules);
  if (!("url" in read)) throw forbidden(read.problem);
  const resolved = await resolveHost(read.url.hostname, rules);
  if (resolved.kind === "forbidden") throw forbidden("its host leads to an address that is not public");
  return read.url.href;
}

function forbidden(problem: string): HttpError {
  return new HttpError(
    422,
    "WEBHOOK_URL_FORBIDDEN",
    `nothing is sent to this URL: ${problem}; give an https URL that the internet can reach`,
    [{ path: "/url", message: problem }],
  );
}
