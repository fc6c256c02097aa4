import { z } from "zod";
import { Instant, TaskId, Tenant, TraceId, Verdict } from "#schemas/primitives.ts";
import { TaskError, TaskStatus } from "#schemas/records/task.ts";
import { WebhookId } from "#schemas/records/webhook.ts";

/** Body of a webhook: a task has ended, and `GET /api/tasks/{id}` shows it so. */
export const TaskEnded = z.strictObject({
  type: z.literal("task.ended"),
  timestamp: Instant.describe("when it ended"),
  data: z.strictObject({
    task_id: TaskId,
    tenant: Tenant,
    workflow: z.string(),
    repository: z.string(),
    status: TaskStatus,
    verdict: Verdict.optional().describe("absent when it was canceled"),
    error: TaskError.optional().describe("why it did not pass"),
    ending: z
      .int()
      .min(0)
      .max(100)
      .describe("0; a task that an operator took up again ends once more, with the next number"),
    trace_id: TraceId,
    created_at: Instant,
    ended_at: Instant,
  }),
});
export type TaskEnded = z.infer<typeof TaskEnded>;

/** One delivery. It is made for its endpoint, so the same event for another one is another message. */
export const WebhooksInput = z.strictObject({ webhook_id: WebhookId, event: TaskEnded });
export type WebhooksInput = z.infer<typeof WebhooksInput>;

export const WebhooksOutput = z.strictObject({
  status_code: z.int().min(100).max(999).describe("what the receiver answered"),
  duration_ms: z.int().min(0),
});
export type WebhooksOutput = z.infer<typeof WebhooksOutput>;
