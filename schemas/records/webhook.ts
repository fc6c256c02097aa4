import { z } from "zod";
import { ErrorCode, Instant, Tenant } from "#schemas/primitives.ts";
import { Subject } from "#schemas/records/api-key.ts";

export const WebhookId = z
  .string()
  .regex(/^[0-9a-f]{16}$/)
  .describe("public name of a webhook");

/** A secret is never stored: it follows from the stage's root secret, the webhook and this number. */
export const WebhookSecret = z.strictObject({
  number: z.int().min(1).describe("grows with every rotation"),
  created_at: Instant,
  valid_until: Instant.optional().describe("what is sent is signed with it until then; absent: without end"),
});
export type WebhookSecret = z.infer<typeof WebhookSecret>;

/** Where a tenant is told of its tasks' ends: pk `WEBHOOKS#<tenant>`, sk the webhook's id. */
export const WebhookRecord = z.strictObject({
  webhook_id: WebhookId,
  tenant: Tenant,
  name: z.string().min(1).max(100).describe("what it is for, in its maker's words"),
  url: z.string().min(1).max(2048),
  secrets: z.array(WebhookSecret).min(1).max(5).describe("newest first"),
  created_at: Instant,
  created_by: Subject,
  disabled_at: Instant.optional().describe("nothing is sent from then on"),
  disabled_because: ErrorCode.optional(),
  revision: z.int().min(1).describe("grows by one with every write"),
});
export type WebhookRecord = z.infer<typeof WebhookRecord>;
