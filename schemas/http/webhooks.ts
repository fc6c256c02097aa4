import { z } from "zod";
import { ErrorCode, Instant, ONE_LINE, SAYS_SOMETHING, TaskId, Tenant } from "#schemas/primitives.ts";
import { Subject } from "#schemas/records/api-key.ts";
import { WebhookId } from "#schemas/records/webhook.ts";

/** Body of `POST /api/webhooks`. */
export const WebhookRequest = z.strictObject({
  name: z
    .string()
    .max(100)
    .regex(SAYS_SOMETHING, "must have something besides blanks")
    .regex(ONE_LINE, "must have no control character")
    .describe("what it is for"),
  url: z
    .string()
    .max(2048)
    .regex(/^https?:\/\/[^\s]+$/, "must be a URL that begins with https:// or http://")
    .regex(ONE_LINE, "must have no control character")
    .describe("https URL on a public host that events are sent to"),
});
export type WebhookRequest = z.infer<typeof WebhookRequest>;

/** A webhook as the API shows it: everything but its secrets. */
export const WebhookView = z.strictObject({
  webhook_id: WebhookId,
  tenant: Tenant,
  name: z.string(),
  url: z.string(),
  state: z
    .enum(["active", "disabled", "deleted"])
    .describe("`disabled`: nothing is sent, because of disabled_because"),
  disabled_at: Instant.nullable(),
  disabled_because: ErrorCode.nullable().describe("WEBHOOK_GONE: its receiver answered 410"),
  secrets: z
    .array(z.strictObject({ number: z.int(), created_at: Instant, valid_until: Instant.nullable() }))
    .describe("those that sign now, newest first; more than one while a rotation overlaps"),
  created_at: Instant,
  created_by: Subject,
});
export type WebhookView = z.infer<typeof WebhookView>;

/** Answer of `POST /api/webhooks` and of `POST /api/webhooks/{id}/rotate`: the only time the secret is shown. */
export const NewWebhook = WebhookView.extend({
  secret: z
    .string()
    .regex(/^whsec_[A-Za-z0-9+/]+=*$/)
    .describe("verify signatures with it (Standard Webhooks); it cannot be shown again"),
});
export type NewWebhook = z.infer<typeof NewWebhook>;

/** Answer of `GET /api/webhooks`, oldest first. */
export const WebhookList = z.strictObject({ webhooks: z.array(WebhookView) });
export type WebhookList = z.infer<typeof WebhookList>;

export const DeliveryId = z
  .string()
  .regex(/^task_[0-9a-hjkmnp-tv-z]{26}_\d{1,3}_[0-9a-f]{16}$/)
  .describe("the `webhook-id` header of every attempt at it");

export const DeliveryState = z
  .enum(["queued", "running", "waiting", "parked", "delivered", "failed"])
  .describe("`waiting`: its last try failed; `parked`: its receiver fails too often; both are tried again");

/** One event for one webhook, and how far it got. */
export const DeliveryView = z.strictObject({
  delivery_id: DeliveryId,
  webhook_id: WebhookId,
  task_id: TaskId,
  type: z.literal("task.ended"),
  state: DeliveryState,
  attempts: z.int().min(0).describe("tries since it was made, or was last sent again on request"),
  attempted_at: z.array(Instant).describe("when each was made, oldest first"),
  status_code: z.int().nullable().describe("what the receiver answered; of a delivered one"),
  code: ErrorCode.nullable().describe("why the last try failed"),
  message: z.string().nullable(),
  next_try_at: Instant.nullable().describe("not before then; of one that waits"),
  created_at: Instant,
  ended_at: Instant.nullable(),
});
export type DeliveryView = z.infer<typeof DeliveryView>;

/** Answer of `GET /api/deliveries`, newest first. */
export const DeliveryList = z.strictObject({
  deliveries: z.array(DeliveryView),
  next_cursor: z.string().nullable(),
});
export type DeliveryList = z.infer<typeof DeliveryList>;
