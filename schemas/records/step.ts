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
  TraceId,
  Verdict,
} from "#schemas/primitives.ts";
import { CarriedSpans } from "#schemas/records/span.ts";

/** One artifact file of a step. `path` is the place in the standard layout, the blob holds the bytes. */
export const ManifestEntry = z.strictObject({
  path: z
    .string()
    .max(256)
    .regex(/^(?!.*\.\.)[a-z0-9][A-Za-z0-9._-]*(?:\/[A-Za-z0-9_-][A-Za-z0-9._-]*)*$/)
    .describe("path under tenants/<tenant>/tasks/<task_id>/"),
  blob: BlobRef,
  content_type: z.string().min(1),
  schema: z
    .string()
    .nullable()
    .describe("name of the JSON Schema the file follows, without its ending; null for free text")
    .optional(),
});
export type ManifestEntry = z.infer<typeof ManifestEntry>;

/** An item written before `generation` was renamed to `replay_count`, as it would be written now. */
export function renamedReplayCount(stored: unknown): unknown {
  if (typeof stored !== "object" || stored === null || !("generation" in stored)) return stored;
  const { generation, ...rest } = stored;
  return { ...rest, replay_count: generation };
}

/** How a step ended. The task's verdict follows from these. */
export const StepOutcome = z.strictObject({
  verdict: Verdict,
  code: ErrorCode.optional(),
  message: z.string().optional(),
  output: z.record(z.string(), z.unknown()).optional().describe("what later steps may take as input"),
  artifacts: z.array(ManifestEntry),
  producer: z
    .strictObject({ role: z.string(), version: z.string(), trace_id: TraceId })
    .describe("who wrote the artifacts, as their `.meta.json` says")
    .optional(),
  dead_letter: z.boolean().optional().describe("the message that led here belongs in the DLQ"),
  replay_count: z.int().min(1).optional().describe("how often the step had been replayed when it ended so"),
});
export type StepOutcome = z.infer<typeof StepOutcome>;

/** One replay of a step: the dead letter that asked for it, and the outcome it took back. */
export const StepReplay = z.strictObject({
  failure_id: z.string().min(1).describe("the failure that was replayed; each is replayed once"),
  message_id: z.uuid().describe("of the message that was replayed"),
  at: Instant,
  code: ErrorCode.describe("how the step had ended before"),
  message: z.string(),
  edited_payload: z
    .string()
    .max(65_536)
    .optional()
    .describe("the input that an operator gave the step instead of its own, as JSON; later replays keep it"),
});
export type StepReplay = z.infer<typeof StepReplay>;

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
  parked_at: z
    .int()
    .describe(
      "Unix time in ms since when it is kept away from a dependency; absent when its last try counted",
    )
    .optional(),
  parked_ms: z.int().min(0).describe("how long it was parked in all, in ms").optional(),
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
  outcome: z.preprocess(renamedReplayCount, StepOutcome).optional(),
  replays: z.array(StepReplay).optional().describe("oldest first; its length is the step's replay count"),
  spans: CarriedSpans.optional(),
  started_at: Instant,
  ended_at: Instant.optional(),
  expires_at: z.int().describe("Unix seconds: from then on it counts as absent").optional(),
});
export type StepRecord = z.infer<typeof StepRecord>;
