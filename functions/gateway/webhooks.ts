import type { ApiRequest } from "#lib/http/route.ts";
import { config } from "#lib/platform/config/config.ts";
import { HttpError } from "#lib/platform/errors/http-error.ts";
import { readUrl } from "#lib/platform/outbound/read-url.ts";
import { outboundRules, resolveHost } from "#lib/platform/outbound/resolve-host.ts";
import { instant } from "#lib/platform/runtime/runtime.ts";
import { formatSecret, rootSecret, secretBytes, secretsInForce } from "#lib/work/webhooks/sign-webhook.ts";
import {
  deleteWebhook,
  listWebhooks,
  moveWebhook,
  createWebhook as putWebhook,
  readWebhook,
} from "#lib/work/webhooks/webhook-store.ts";
import type { OutboundRules } from "#schemas/config/outbound.ts";
import type { WebhooksConfig } from "#schemas/config/webhooks.ts";
import type { NewWebhook, WebhookRequest, WebhookView } from "#schemas/http/webhooks.ts";
import { WebhookId, type WebhookRecord } from "#schemas/records/webhook.ts";
import { type Administrator, administrator, graceHours } from "./administrator.ts";

/** An administrator who manages the webhooks of their tenant, with the policies for it. */
interface WebhookAdmin extends Administrator {
  policy: WebhooksConfig;
  rules: OutboundRules;
  /** A webhook's newest secret in the form shown to its owner. */
  secretOf(record: WebhookRecord): string;
}

export function webhookAdmin(request: ApiRequest<unknown, unknown>): WebhookAdmin {
  const { settings } = request.platform;
  const root = rootSecret(settings);
  return {
    ...administrator(request),
    policy: config.webhooks().value,
    rules: outboundRules(config.outbound().value, settings.stage),
    secretOf: (record) => formatSecret(secretBytes(root, record, record.secrets[0]?.number ?? 1)),
  };
}

/** A webhook of the caller's own tenant. Throws HttpError 404 `WEBHOOK_NOT_FOUND`, for another tenant's too. */
async function findWebhook(
  webhook_id: string,
  { tenant, ports }: Pick<WebhookAdmin, "tenant" | "ports">,
): Promise<WebhookRecord> {
  const found = WebhookId.safeParse(webhook_id).success
    ? await readWebhook(tenant, webhook_id, ports)
    : undefined;
  if (found) return found;
  throw new HttpError(
    "WEBHOOK_NOT_FOUND",
    `there is no webhook ${webhook_id}; agents webhooks list shows yours`,
  );
}

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

/**
 * Creates a webhook of the caller's tenant and returns its secret, which is shown only once. Throws HttpError 422
 * `WEBHOOK_URL_FORBIDDEN`, 409 `WEBHOOKS_TOO_MANY`.
 */
export async function createWebhook(
  { name, url: text }: WebhookRequest,
  admin: WebhookAdmin,
): Promise<NewWebhook> {
  const { tenant, subject, policy, ports } = admin;
  const url = await allowedUrl(text, admin);
  const { length } = await listWebhooks(tenant, ports);
  // Concurrent requests may exceed the limit by a few.
  if (length >= policy.webhooks_per_tenant_max) {
    throw new HttpError(
      "WEBHOOKS_TOO_MANY",
      `tenant ${tenant} has ${length} webhooks, which is the limit; delete one that is not in use`,
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
  const detail = { name, host: new URL(url).host };
  const what = { action: "webhook.create", target: record.webhook_id, detail };
  await admin.audited(what, () => putWebhook(record, ports));
  return { ...webhookView(record, now), secret: admin.secretOf(record) };
}

/** The normalized URL. A name that cannot be resolved now is checked again at each delivery. */
async function allowedUrl(text: string, { rules }: WebhookAdmin): Promise<string> {
  const read = readUrl(text, rules);
  if (!("url" in read)) throw forbidden(read.problem);
  const resolved = await resolveHost(read.url.hostname, rules);
  if (resolved.kind === "forbidden") throw forbidden("its host resolves to an address that is not public");
  return read.url.href;
}

function forbidden(problem: string): HttpError {
  return new HttpError(
    "WEBHOOK_URL_FORBIDDEN",
    `this URL is not allowed: ${problem}; give an https URL that is reachable from the internet`,
    [{ path: "/url", message: problem }],
  );
}

const HOUR_MS = 3_600_000;
const SECRETS_MAX = 5;
const RACES_MAX = 5;

interface Rotation {
  webhook_id: string;
  grace_hours: number | undefined;
}

/**
 * Gives a webhook a new secret, which signs at once. The old one also signs until its grace period ends. Throws
 * HttpError 404 `WEBHOOK_NOT_FOUND`, 409 `SECRETS_TOO_MANY`, 422 `GRACE_TOO_LONG`.
 */
export async function rotateWebhook(
  { webhook_id, grace_hours }: Rotation,
  admin: WebhookAdmin,
): Promise<NewWebhook> {
  const hours = graceHours(grace_hours, admin.policy, "the old secret may sign");
  const now = admin.ports.runtime.now();
  const what = { action: "webhook.rotate", target: webhook_id, detail: { grace_hours: hours } };
  const record = await change(what, admin, (seen) => rotated(seen, hours * HOUR_MS, now));
  return { ...webhookView(record, now), secret: admin.secretOf(record) };
}

function rotated(seen: WebhookRecord, grace_ms: number, now: number): WebhookRecord {
  const kept = secretsInForce(seen, now);
  if (kept.length >= SECRETS_MAX) {
    throw new HttpError(
      "SECRETS_TOO_MANY",
      `${kept.length} secrets of the webhook sign now, which is the limit; rotate it when the oldest has ended`,
    );
  }
  const ends = instant(now + grace_ms);
  const ending = kept.map((secret) => ({
    ...secret,
    valid_until: secret.valid_until && secret.valid_until < ends ? secret.valid_until : ends,
  }));
  const number = (seen.secrets[0]?.number ?? 0) + 1;
  const overlapping = secretsInForce({ secrets: ending }, now);
  return { ...seen, secrets: [{ number, created_at: instant(now) }, ...overlapping] };
}

/** Enables a disabled webhook. Events missed meanwhile are sent only on request. Throws HttpError 404. */
export async function enableWebhook(webhook_id: string, admin: WebhookAdmin): Promise<WebhookView> {
  const what = { action: "webhook.enable", target: webhook_id };
  return webhookView(await change(what, admin, enabled), admin.ports.runtime.now());
}

function enabled({ disabled_at: _0, disabled_because: _1, ...seen }: WebhookRecord): WebhookRecord {
  return seen;
}

/** Deletes a webhook. Deliveries that wait are not sent. Throws HttpError 404. */
export async function removeWebhook(webhook_id: string, admin: WebhookAdmin): Promise<WebhookView> {
  const record = await findWebhook(webhook_id, admin);
  const { ports } = admin;
  const what = { action: "webhook.delete", target: webhook_id, detail: { name: record.name } };
  await admin.audited(what, () => deleteWebhook(record, ports));
  return { ...webhookView(record, ports.runtime.now()), state: "deleted" };
}

/** Applies a change to webhook `what.target`; after a lost race it reads the webhook again and retries. Throws HttpError 404, 503 `WEBHOOK_CONTENDED`. */
async function change(
  what: Parameters<Administrator["audited"]>[0],
  admin: WebhookAdmin,
  changed: (seen: WebhookRecord) => WebhookRecord,
): Promise<WebhookRecord> {
  await findWebhook(what.target, admin);
  return admin.audited(what, async () => {
    for (let races = 0; races < RACES_MAX; races += 1) {
      const seen = await findWebhook(what.target, admin);
      const moved = await moveWebhook(seen, changed(seen), admin.ports);
      if (moved) return moved;
    }
    throw new HttpError("WEBHOOK_CONTENDED", "other requests keep changing the webhook; try again");
  });
}
