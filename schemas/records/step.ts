import { z } from "zod";
import {
  BlobRef,
  ErrorCode,
  Instant,
  Round,
  Sha256,
  StepName,
  TaskId,
  Tenant,
  Verdict,
} from "#schemas/primitives.ts";

/** One artifact file of a step. `path` is the place in the standard layout, the blob holds the bytes. */
export const ManifestEntry = z.strictObject({
  path: z
    .string()
    .max(256)
    .regex(/^(?!.*\.\.)[a-z0-9][A-Za-z0-9._-]*(?:\/[A-Za-z0-9_-][A-Za-z0-9._-]*)*$/)
    .describe("path under tenants/<tenant>/tasks/<task_id>/"),
  blob: BlobRef,
  content_type: z.string().min(1),
});
export type ManifestEntry = z.infer<typeof ManifestEntry>;

/** How a step ended. The task's verdict follows from these. */
export const StepOutcome = z.strictObject({
  verdict: Verdict,
  code: ErrorCode.optional(),
  message: z.string().optional(),
  output: z.record(z.string(), z.unknown()).optional().describe("what later steps may take as input"),
  artifacts: z.array(ManifestEntry),
  dead_letter: z.boolean().optional().describe("the message that led here belongs in the DLQ"),
});
export type StepOutcome = z.infer<typeof StepOutcome>;

/**
 * One round of one step: pk of the task, sk `STEP#<step>#<round>`. It is the idempotency record:
 * only the holder of `owner` and `fence` may move it, and only `completed` carries an outcome.
 */
export const StepRecord = z.strictObject({
  tenant: Tenant,
  task_id: TaskId,
  step: StepName,
  round: Round,
  service: z.string().min(1).describe("the agent that runs it"),
  status: z.enum(["running", "waiting", "completed", "canceled"]),
  idempotency_key: Sha256,
  source_hash: Sha256,
  owner: z.string().min(1).describe("the invocation that holds or held the lease"),
  fence: z.int().min(1).describe("fencing token: grows with every claim"),
  lease_expires_at: z.int().describe("Unix time in ms after which the claim may be taken over"),
  retry_at: z.int().describe("Unix time in ms before which a waiting step is not resent").optional(),
  attempts: z.int().min(0).describe("claims that count against the retry policy"),
  history: z.array(
    z.strictObject({
      owner: z.string(),
      at: Instant,
    }),
  ),
  last_error: z
    .strictObject({ code: ErrorCode, message: z.string(), at: Instant })
    .optional()
    .describe("why the last attempt did not end the step"),
  outcome: StepOutcome.optional(),
  started_at: Instant,
  ended_at: Instant.optional(),
  expires_at: z.int().describe("Unix seconds: from then on it counts as absent").optional(),
});
export type StepRecord = z.infer<typeof StepRecord>;
