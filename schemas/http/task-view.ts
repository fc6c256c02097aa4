import { z } from "zod";
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
import { TaskError, TaskStatus } from "#schemas/records/task.ts";

export const StepView = z.strictObject({
  step: StepName,
  round: Round,
  service: z.string(),
  status: z.enum(["queued", "running", "waiting", "parked", "completed", "canceled"]),
  verdict: Verdict.optional(),
  code: ErrorCode.optional(),
  message: z.string().optional(),
  attempts: z.int().min(0),
  retry_at: Instant.describe("waiting or parked: not tried again before then").optional(),
  parked_at: Instant.describe("parked: since when, for the dependency that `code` names").optional(),
  started_at: Instant.optional(),
  ended_at: Instant.optional(),
  output: z.record(z.string(), z.unknown()).optional(),
});
export type StepView = z.infer<typeof StepView>;

export const ArtifactView = z.strictObject({
  path: z.string().describe("path in the standard layout, for example build-test/report.json"),
  href: z.string().describe("GET this to read it"),
  bytes: z.int().min(0),
  sha256: Sha256,
  content_type: z.string(),
});
export type ArtifactView = z.infer<typeof ArtifactView>;

/** Of a task shown with `?links=true`. */
export const ArtifactLinks = z.strictObject({
  expires_seconds: z.int().min(1).describe("how long each `url` opens its artifact, from this answer on"),
  expires_at: Instant.describe("when they end; ask again for new ones"),
  missing: z
    .array(z.strictObject({ path: z.string(), reason: z.string() }))
    .describe("files of the layout that have no link now, and why"),
});

/** Answer of `GET /api/tasks/{id}` and, with 202, of `POST /api/tasks`. */
export const TaskView = z.strictObject({
  task_id: TaskId,
  tenant: Tenant,
  workflow: z.string(),
  repository: z.string(),
  status: TaskStatus,
  verdict: Verdict.optional(),
  error: TaskError.optional(),
  trace_id: TraceId,
  revision: z.string().describe("changes with every visible change; give it to ?wait= to wait for the next"),
  created_at: Instant,
  deadline_at: Instant,
  ended_at: Instant.optional(),
  notices: z
    .array(z.string())
    .max(10)
    .describe("advice on what was asked for, for example how its tests would give a report")
    .optional(),
  steps: z.array(StepView).describe("in the order they were dispatched"),
  artifacts: z
    .array(
      ArtifactView.extend({
        url: z
          .string()
          .describe("with ?links=true: opens the artifact without a key, in a browser too, for a short time")
          .optional(),
      }),
    )
    .describe("of completed steps only; a later round replaces an earlier one"),
  links: ArtifactLinks.optional(),
});
export type TaskView = z.infer<typeof TaskView>;

/** Answer of `GET /api/tasks`, newest first. */
export const TaskList = z.strictObject({
  tasks: z.array(TaskView.omit({ steps: true, artifacts: true, notices: true, links: true })),
  next_cursor: z.string().nullable(),
});
export type TaskList = z.infer<typeof TaskList>;

/** All that one completed step left: there completely, or not listed. */
export const ArtifactSet = z.strictObject({
  tenant: Tenant,
  task_id: TaskId,
  step: StepName,
  round: Round,
  kind: z.string().nullable().describe("folder of its files, for example build-test; null when it left none"),
  producer: z.string(),
  verdict: Verdict,
  completed_at: Instant,
  artifacts: z.array(ArtifactView),
});
export type ArtifactSet = z.infer<typeof ArtifactSet>;

/** Answer of `GET /api/artifacts/index`: one entry a completed step, newest first. */
export const ArtifactIndex = z.strictObject({
  entries: z.array(ArtifactSet),
  next_cursor: z.string().nullable(),
});
export type ArtifactIndex = z.infer<typeof ArtifactIndex>;

/** Answer of `POST /api/uploads`: send the bytes with this method, URL and these headers. */
export const UploadGrant = z.strictObject({
  upload_id: Sha256,
  method: z.literal("PUT"),
  url: z.string(),
  headers: z.record(z.string(), z.string()),
  expires_at: Instant,
});
export type UploadGrant = z.infer<typeof UploadGrant>;

/** RFC 9457 problem details, the body of every answer that is not 2xx. */
export const Problem = z.strictObject({
  type: z.string(),
  title: z.string(),
  status: z.int(),
  code: ErrorCode,
  detail: z.string(),
  trace_id: TraceId,
  errors: z.array(z.strictObject({ path: z.string(), message: z.string() })).optional(),
});
export type Problem = z.infer<typeof Problem>;
