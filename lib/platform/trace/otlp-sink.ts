import { promisify } from "node:util";
import { gzip } from "node:zlib";
import type { Telemetry } from "#lib/platform/settings/telemetry.ts";
import type { SpanBatch, SpanSink } from "#lib/platform/trace/task-spans.ts";
import type { SpanAttributes, SpanKind, SpanRecord } from "#schemas/records/span.ts";

interface Facts {
  stage: string;
  service_version: string;
}

/**
 * Posts spans to a collector as OTLP/HTTP with JSON. It tries once: the sending function must not wait, and the
 * table has the same spans.
 */
export function otlpSink(
  telemetry: Telemetry,
  facts: Facts,
  post: typeof fetch = fetch,
): SpanSink | undefined {
  const { traces_url, timeout_ms } = telemetry;
  if (!traces_url) return undefined;
  return {
    name: "collector",
    async write(batch, signal) {
      const resource = resourceAttributes(batch, telemetry, facts);
      const json = JSON.stringify(encodeOtlp(batch, resource, facts.service_version));
      const answer = await post(traces_url, {
        method: "POST",
        headers: {
          ...telemetry.headers,
          "content-type": "application/json",
          ...(telemetry.gzip && { "content-encoding": "gzip" }),
        },
        body: telemetry.gzip ? new Uint8Array(await promisify(gzip)(json)) : json,
        redirect: "error",
        signal: AbortSignal.any([signal, AbortSignal.timeout(timeout_ms)]),
      });
      await answer.body?.cancel();
      if (!answer.ok)
        throw new Error(`the collector at ${new URL(traces_url).host} answered ${answer.status}`);
    },
  };
}

/** https://opentelemetry.io/docs/specs/semconv/resource/; the operator's attributes take precedence. */
function resourceAttributes({ service, function_name }: SpanBatch, telemetry: Telemetry, facts: Facts) {
  const on_aws = facts.stage !== "local";
  return {
    "service.namespace": "distributed-agents",
    "service.version": facts.service_version,
    "deployment.environment.name": facts.stage,
    "telemetry.sdk.language": "nodejs",
    "telemetry.sdk.name": "distributed-agents",
    "faas.name": function_name,
    ...(on_aws && { "cloud.provider": "aws", "cloud.platform": "aws_lambda" }),
    ...(on_aws && telemetry.region && { "cloud.region": telemetry.region }),
    ...telemetry.resource_attributes,
    "service.name": telemetry.service_name ?? service,
  };
}

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

/** Encodes an `ExportTraceServiceRequest`, the body of a POST to `/v1/traces`. */
function encodeOtlp({ groups }: SpanBatch, resource: SpanAttributes, version: string) {
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

/** Unix time in ns as text: it exceeds 2^53. */
function nanoseconds(unix_ms: number): string {
  return String(BigInt(unix_ms) * 1_000_000n);
}
