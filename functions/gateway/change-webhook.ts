import { withAudit } from "#lib/http/audit/with-audit.ts";
import { HttpError } from "#lib/platform/errors/http-error.ts";
import { instant } from "#lib/platform/runtime/runtime.ts";
import { secretsInForce } from "#lib/work/webhooks/sign-webhook.ts";
import { deleteWebhook, moveWebhook } from "#lib/work/webhooks/webhook-store.ts";
import type { NewWebhook, WebhookView } from "#schemas/http/webhooks.ts";
import type { WebhookRecord } from "#schemas/records/webhook.ts";
import { findWebhook, type WebhookAdmin } from "./webhook-admin.ts";
import { webhookView } from "./webhook-view.ts";

const HOUR_MS = 3_600_000;
const SECRETS_MAX = 5;
const RACES_MAX = 5;

interface Rotation {
  webhook_id: string;
  grace_hours: number | undefined;
}

/**
 * Gives a webhook a new secret, which signs at once; the old one signs too until its grace ends. Throws
 * HttpError 404 `WEBHOOK_NOT_FOUND`, 409 `SECRETS_TOO_MANY`, 422 `GRACE_TOO_LONG`.
 */
export async function rotateWebhook(
  { webhook_id, grace_hours }: Rotation,
  admin: WebhookAdmin,
): Promise<NewWebhook> {
  const { rotation_hours_default, rotation_hours_max } = admin.policy;
  const hours = grace_hours ?? rotation_hours_default;
  if (hours > rotation_hours_max) {
    throw new HttpError(
      422,
      "GRACE_TOO_LONG",
      `the old secret may sign for ${rotation_hours_max} hours after a rotation at most, not ${hours}`,
    );
  }
  const now = admin.ports.runtime.now();
  const note = admin.note("webhook.rotate", webhook_id, { grace_hours: hours });
  const record = await change(webhook_id, admin, note, (seen) => rotated(seen, hours * HOUR_MS, now));
  return { ...webhookView(record, now), secret: admin.secretOf(record) };
}

function rotated(seen: WebhookRecord, grace_ms: number, now: number): WebhookRecord {
  const kept = secretsInForce(seen, now);
  if (kept.length >= SECRETS_MAX) {
    throw new HttpError(
      409,
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

/** Sends to a disabled webhook again. What was missed meanwhile is sent on request. Throws HttpError 404. */
export async function enableWebhook(webhook_id: string, admin: WebhookAdmin): Promise<WebhookView> {
  const note = admin.note("webhook.enable", webhook_id);
  return webhookView(await change(webhook_id, admin, note, enabled), admin.ports.runtime.now());
}

function enabled({ disabled_at: _0, disabled_because: _1, ...seen }: WebhookRecord): WebhookRecord {
  return seen;
}

/** Ends a webhook for good: what waits to be sent to it is not. Throws HttpError 404. */
export async function removeWebhook(webhook_id: string, admin: WebhookAdmin): Promise<WebhookView> {
  const record = await findWebhook(webhook_id, admin);
  const { ports } = admin;
  const note = admin.note("webhook.delete", webhook_id, { name: record.name });
  await withAudit(note, ports, () => deleteWebhook(record, ports));
  return { ...webhookView(record, ports.runtime.now()), state: "deleted" };
}

/** Whoever loses a race reads again. Throws HttpError 404, 503 `WEBHOOK_CONTENDED`. */
async function change(
  webhook_id: string,
  admin: WebhookAdmin,
  note: ReturnType<WebhookAdmin["note"]>,
  changed: (seen: WebhookRecord) => WebhookRecord,
): Promise<WebhookRecord> {
  await findWebhook(webhook_id, admin);
  return withAudit(note, admin.ports, async () => {
    for (let races = 0; races < RACES_MAX; races += 1) {
      const seen = await findWebhook(webhook_id, admin);
      const moved = await moveWebhook(seen, changed(seen), admin.ports);
      if (moved) return moved;
    }
    throw new HttpError(503, "WEBHOOK_CONTENDED", "the webhook is moving too fast; try again");
  });
}
