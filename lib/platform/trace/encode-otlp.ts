import type { SpanBatch } from "#lib/platform/trace/span-sink.ts";
import type { SpanAttributes, SpanKind, SpanRecord } from "#schemas/records/span.ts";

/** https://opentelemetry.io/docs/specs/otlp/#json-protobuf-encoding: ids in hex, 64-bit integers as text. */
type OtlpValue =
  | { stringValue: string }
  | { boolValue: boolean }
  | { intValue: string }
  | { doubleValue: number };

interface OtlpAttribute {
  key: string;
  value: OtlpValue;
}

const KINDS: Record<SpanKind, number> = { internal: 1, server: 2, client: 3, producer: 4, consumer: 5 };
const STATUS_CODES: Record<SpanRecord["status"]["code"], number> = { unset: 0, ok: 1, error: 2 };
const SAMPLED = 1;

/** An `ExportTraceServiceRequest`: what a collector takes at `/v1/traces`. */
export function encodeOtlp({ groups }: SpanBatch, resource: SpanAttributes, version: string) {
  return {
    resourceSpans: [
      {
        resource: { attributes: encodeAttributes(resource) },
        scopeSpans: [
          {
            scope: { name: "distributed-agents", version },
            spans: groups.flatMap(({ spans, task }) => spans.map((span) => encodeSpan(span, task))),
          },
        ],
      },
    ],
  };
}

function encodeSpan(span: SpanRecord, task: { tenant: string; task_id: string } | undefined) {
  const { error_code, message, code } = span.status;
  const sentence = [error_code, message].filter(Boolean).join(": ");
  return {
    traceId: span.trace_id,
    spanId: span.span_id,
    ...(span.parent_span_id && { parentSpanId: span.parent_span_id }),
    ...(span.tracestate && { traceState: span.tracestate }),
    flags: SAMPLED,
    name: span.name,
    kind: KINDS[span.kind],
    startTimeUnixNano: nanoseconds(span.start_ms),
    endTimeUnixNano: nanoseconds(span.end_ms),
    attributes: encodeAttributes({
      ...span.attributes,
      ...(task && { "agents.tenant": task.tenant, "agents.task_id": task.task_id }),
    }),
    links: (span.links ?? []).map(({ trace_id, span_id }) => ({ traceId: trace_id, spanId: span_id })),
    status: { code: STATUS_CODES[code], ...(sentence && { message: sentence }) },
  };
}

function encodeAttributes(attributes: SpanAttributes): OtlpAttribute[] {
  return Object.entries(attributes).map(([key, value]) => ({ key, value: encodeValue(value) }));
}

function encodeValue(value: string | number | boolean): OtlpValue {
  if (typeof value === "string") return { stringValue: value };
  if (typeof value === "boolean") return { boolValue: value };
  return Number.isSafeInteger(value) ? { intValue: String(value) } : { doubleValue: value };
}

/** Beyond 2^53, so never a number. */
function nanoseconds(unix_ms: number): string {
  return String(BigInt(unix_ms) * 1_000_000n);
}
