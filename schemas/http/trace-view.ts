import { z } from "zod";
import { Instant, SpanId, TaskId, TraceId } from "#schemas/primitives.ts";
import { SpanAttributes, SpanKind, SpanLink, SpanStatus } from "#schemas/records/span.ts";

/** One span with all that happened below it, children by their start. */
export const SpanView = z.strictObject({
  span_id: SpanId,
  parent_span_id: SpanId.optional(),
  name: z.string(),
  kind: SpanKind,
  service: z.string(),
  started_at: Instant,
  offset_ms: z.int().min(0).describe("from the start of the trace"),
  duration_ms: z.int().min(0),
  status: SpanStatus,
  attributes: SpanAttributes,
  links: z.array(SpanLink).optional(),
  lost: z
    .literal(true)
    .describe("nobody recorded this span; it stands for what the spans below it tell")
    .optional(),
  parent_lost: z
    .literal(true)
    .describe("its parent was not recorded; it hangs below the nearest span that was")
    .optional(),
  clock_skew_ms: z
    .int()
    .min(1)
    .describe("how far its clock was behind; its times are moved by this")
    .optional(),
  get children(): z.ZodArray<typeof SpanView> {
    return z.array(SpanView);
  },
});
export type SpanView = z.infer<typeof SpanView>;

/** Where the time of the chain of messages went that ended last. The parts add up to `total_ms`. */
export const CriticalPath = z.strictObject({
  total_ms: z.int().min(0),
  work_ms: z.int().min(0).describe("somebody worked on it"),
  queue_ms: z.int().min(0).describe("a message waited for its first delivery"),
  retry_ms: z.int().min(0).describe("between a message's first delivery and the one that counted"),
  idle_ms: z.int().min(0).describe("nobody had it: until the sweeper, or a client, nudged the task"),
});
export type CriticalPath = z.infer<typeof CriticalPath>;

/** Answer of `GET /api/tasks/{id}/trace`. Spans show once the task or a step was written after them. */
export const TraceView = z.strictObject({
  task_id: TaskId,
  trace_id: TraceId,
  sampled: z.boolean().describe("false: the client asked for nothing to be recorded"),
  started_at: Instant,
  duration_ms: z.int().min(0),
  span_count: z.int().min(0).describe("recorded spans of this trace"),
  truncated: z.boolean().describe("there are more spans than are shown"),
  left_out: z
    .int()
    .min(1)
    .describe("spans that found no room on the task's writes; a collector has them")
    .optional(),
  critical_path: CriticalPath,
  root: SpanView,
});
export type TraceView = z.infer<typeof TraceView>;
