import { z } from "zod";
import { TaskEnded } from "#schemas/messages/webhooks.ts";
import { Instant } from "#schemas/primitives.ts";
import { StepRecord } from "#schemas/records/step.ts";
import { WebhookId } from "#schemas/records/webhook.ts";

/**
 * One event for one webhook: pk of the task, sk `DELIVERY#<step>`. Written before its task shows as ended,
 * and from then on claimed, released and completed as a step is; no workflow knows of it.
 */
export const DeliveryRecord = StepRecord.extend({
  webhook_id: WebhookId,
  event: TaskEnded,
  traceparent: z.string().describe("of its task, whose trace its attempts belong to"),
  tracestate: z.string().max(512).optional(),
  deadline_at: Instant.describe("it is given up then, whatever it waits for"),
  dispatch_count: z.int().min(0).describe("how often its message was sent again because nobody had it"),
});
export type DeliveryRecord = z.infer<typeof DeliveryRecord>;
