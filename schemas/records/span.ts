import { z } from "zod";
import { SpanId, TraceId } from "#schemas/primitives.ts";

/** As OpenTelemetry names them: https://opentelemetry.io/docs/specs/otel/trace/api/#spankind */
export const SpanKind = z.enum(["internal", "server", "client", "producer", "consumer"]);
export type SpanKind = z.infer<typeof SpanKind>;

/** Names by OpenTelemetry's semantic conventions where there is one, else `agents.…`. */
export const SpanAttributes = z.record(
  z.string().max(128),
  z.union([z.string().max(1024), z.number(), z.boolean()]),
);
export type SpanAttributes = z.infer<typeof SpanAttributes>;

export const SpanStatus = z.strictObject({
  code: z.enum(["unset", "ok", "error"]),
  error_code: z.string().max(128).describe("stable error code, or an error's name").optional(),
  message: z.string().max(500).optional(),
});
export type SpanStatus = z.infer<typeof SpanStatus>;

export const SpanLink = z.strictObject({ trace_id: TraceId, span_id: SpanId });

/** One finished span, as it is kept in the table and sent to a collector. */
export const SpanRecord = z.strictObject({
  trace_id: TraceId,
  span_id: SpanId,
  parent_span_id: SpanId.optional(),
  grandparent_span_id: SpanId.describe(
    "the parent's parent where the message told it: where the span hangs when its parent was lost",
  ).optional(),
  tracestate: z.string().max(512).optional(),
  service: z.string().max(64),
  name: z.string().min(1).max(128),
  kind: SpanKind,
  start_ms: z.int().min(0).describe("Unix time"),
  end_ms: z.int().min(0).describe("Unix time, never before the start"),
  status: SpanStatus,
  attributes: SpanAttributes,
  links: z.array(SpanLink).max(8).optional(),
  open: z
    .literal(true)
    .describe(
      "it had not ended when it was written; its end is that moment, and its reader derives a later one",
    )
    .optional(),
});
export type SpanRecord = z.infer<typeof SpanRecord>;

/** Spans that rode on writes of a task or a step, one pack a write (lib/platform/trace/pack-spans.ts). */
export const CarriedSpans = z.strictObject({
  packs: z.array(z.string().max(8_000)).max(1_000),
  left_out: z.int().min(0).describe("spans that did not fit").optional(),
});
export type CarriedSpans = z.infer<typeof CarriedSpans>;
