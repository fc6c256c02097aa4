import type { AuditNote, AuditPorts } from "#lib/http/audit/record-audit.ts";
import { auditPorts } from "#lib/http/audit/record-audit.ts";
import type { ApiRequest } from "#lib/http/route.ts";
import { config } from "#lib/platform/config/config.ts";
import { HttpError } from "#lib/platform/errors/http-error.ts";
import { outboundRules } from "#lib/platform/outbound/outbound-rules.ts";
import { formatSecret, rootSecret, secretBytes } from "#lib/work/webhooks/sign-webhook.ts";
import { readWebhook } from "#lib/work/webhooks/webhook-store.ts";
import type { OutboundRules } from "#schemas/config/outbound.ts";
import type { WebhooksConfig } from "#schemas/config/webhooks.ts";
import { WebhookId, type WebhookRecord } from "#schemas/records/webhook.ts";

/** Somebody at work on the webhooks of his own tenant, and what that takes. */
export interface WebhookAdmin {
  tenant: string;
  subject: string;
  policy: WebhooksConfig;
  rules: OutboundRules;
  ports: AuditPorts;
  /** What is to be written into the audit trail of a deed. */
  note(
    action: AuditNote["action"],
    target: string,
    detail?: AuditNote["detail"],
  ): Omit<AuditNote, "outcome" | "of">;
  /** A webhook's newest secret, as its receiver is given it. */
  secretOf(record: WebhookRecord): string;
}

export function webhookAdmin({
  tenant,
  identity,
  trace,
  source_ip,
  platform,
}: Pick<
  ApiRequest<unknown, unknown>,
  "tenant" | "identity" | "trace" | "source_ip" | "platform"
>): WebhookAdmin {
  const subject = identity?.subject ?? "unknown";
  const root = rootSecret(platform.settings);
  const who = { tenant, subject, trace_id: trace.trace_id, source_ip };
  return {
    tenant,
    subject,
    policy: config.webhooks().value,
    rules: outboundRules(config.outbound().value, platform.settings.stage),
    ports: auditPorts(platform),
    note: (action, target, detail) => ({ ...who, action, target, ...(detail && { detail }) }),
    secretOf: (record) => formatSecret(secretBytes(root, record, record.secrets[0]?.number ?? 1)),
  };
}

/** A webhook of the caller's own tenant. Throws HttpError 404 `WEBHOOK_NOT_FOUND`, for another tenant's too. */
export async function findWebhook(
  webhook_id: string,
  { tenant, ports }: Pick<WebhookAdmin, "tenant" | "ports">,
): Promise<WebhookRecord> {
  const found = WebhookId.safeParse(webhook_id).success
    ? await readWebhook(tenant, webhook_id, ports)
    : undefined;
  if (found) return found;
  throw new HttpError(
    404,
    "WEBHOOK_NOT_FOUND",
    `there is no webhook ${webhook_id}; agents webhooks list shows yours`,
  );
}
