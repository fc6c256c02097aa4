import { z } from "zod";
import { Workflow } from "#schemas/config/workflows.ts";
import { ChangeRef } from "#schemas/messages/codegen.ts";
import { SourceRef } from "#schemas/messages/source.ts";
import {
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
import { renamedReplayCount } from "#schemas/records/step.ts";

/** What the submitter asked for, with every text and tree in S3 by content. */
export const TaskSpec = z.strictObject({
  workflow: z.string().min(1),
  source: SourceRef,
  change: ChangeRef.optional(),
  install: z.string().optional(),
  build: z.string().optional(),
  test: z.string().optional(),
  command: z.string().optional(),
  reports: z.array(z.string()).optional(),
  require_tests: z.boolean().optional(),
  repository: z.string(),
  profile: z.string(),
  repair_rounds: z.int().min(0).max(9).optional(),
});
export type TaskSpec = z.infer<typeof TaskSpec>;

export const TaskStatus = z.enum(["accepted", "running", "succeeded", "failed", "canceled"]);
export type TaskStatus = z.infer<typeof TaskStatus>;

export const TaskError = z.strictObject({
  code: ErrorCode,
  message: z.string(),
  step: StepName.optional(),
});
export type TaskError = z.infer<typeof TaskError>;

/** A task's return to work because one of its steps was replayed. */
export const Reopening = z.strictObject({
  at: Instant,
  step: StepName,
  round: Round,
  replay_count: z.int().min(1).describe("how often that step had been replayed then, this time included"),
});
export type Reopening = z.infer<typeof Reopening>;

/** A step's message as it was sent last. */
export const Dispatched = z.strictObject({
  step: StepName,
  round: Round,
  dispatched_at: Instant,
  dispatched_by: z.string().describe("message_id of the nudge that led to it").optional(),
  dispatch_count: z.int().min(1),
});
export type Dispatched = z.infer<typeof Dispatched>;

/** One task: pk `TASK#<tenant>#<task_id>`, sk `TASK`. Moved only by writes conditional on `version`. */
export const TaskRecord = z.strictObject({
  tenant: Tenant,
  task_id: TaskId,
  status: TaskStatus,
  verdict: Verdict.optional(),
  error: TaskError.optional(),
  spec: TaskSpec,
  definition: Workflow.describe(
    "the workflow as it stood when the task was accepted; later edits do not reach it",
  ),
  submission_hash: Sha256,
  trace_id: TraceId,
  traceparent: z.string(),
  tracestate: z.string().max(512).optional(),
  version: z.int().min(1).describe("grows by one with every write"),
  current: Dispatched.optional().describe("the step that was dispatched last"),
  beside: Dispatched.optional().describe("the step that was dispatched last to run beside others"),
  reopenings: z
    .array(z.preprocess(renamedReplayCount, Reopening))
    .max(100)
    .optional()
    .describe("oldest first"),
  cancel_requested_at: Instant.optional(),
  created_at: Instant,
  updated_at: Instant,
  deadline_at: Instant,
  spans: CarriedSpans.optional(),
  ended_at: Instant.optional(),
  sealed_at: Instant.optional().describe(
    "its artifacts stand in the standard layout; only now it shows as ended",
  ),
  expires_at: z
    .int()
    .describe("Unix seconds: from then on it counts as absent; of a sealed task only")
    .optional(),
});
export type TaskRecord = z.infer<typeof TaskRecord>;
