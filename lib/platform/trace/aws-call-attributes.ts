import type { AwsCall, CallMeter } from "#lib/platform/aws/call-meter.ts";
import type { Runtime } from "#lib/platform/runtime/runtime.ts";
import type { Span } from "#lib/platform/trace/span.ts";
import type { SpanRecord } from "#schemas/records/span.ts";

/** A call that takes at least this long gets a span of its own; faster calls are only counted. */
const SLOW_MS = 250;
const SPANS_MAX = 20;
const SYSTEMS: Record<string, string> = { dynamodb: "DynamoDB", s3: "S3", sqs: "SQS" };

/**
 * Counts the AWS calls made under a span in the span's attributes. A slow call, or one that failed in the service,
 * also gets a client span.
 */
export function awsCallMeter(span: Span, runtime: Runtime): CallMeter {
  const totals = new Map<string, { calls: number; ms: number }>();
  let spans = 0;
  return (call) => {
    const total = totals.get(call.service) ?? { calls: 0, ms: 0 };
    total.calls += 1;
    total.ms += call.duration_ms;
    totals.set(call.service, total);
    span.set({
      [`agents.aws.${call.service}.calls`]: total.calls,
      [`agents.aws.${call.service}.ms`]: Math.round(total.ms),
    });
    if (!isRemarkable(call) || spans >= SPANS_MAX || !span.sampled) return;
    spans += 1;
    span.recorder?.add(clientSpan(call, span, runtime));
  };
}

/** An expected refusal (a failed condition, a missing object) does not count as a failed call. */
function isRemarkable({ duration_ms, error }: AwsCall): boolean {
  if (duration_ms >= SLOW_MS) return true;
  return error !== undefined && (error.status === undefined || error.status >= 500 || error.status === 429);
}

/** https://opentelemetry.io/docs/specs/semconv/cloud-providers/aws-sdk/ */
function clientSpan(call: AwsCall, span: Span, runtime: Runtime): Omit<SpanRecord, "service"> {
  const { service, operation, start_ms, duration_ms, error } = call;
  const system = SYSTEMS[service] ?? service;
  return {
    trace_id: span.trace_id,
    span_id: runtime.hex(8),
    parent_span_id: span.span_id,
    name: `${system}.${operation}`,
    kind: "client",
    start_ms,
    end_ms: start_ms + Math.round(duration_ms),
    status: error
      ? { code: "error", error_code: error.name, message: error.message.slice(0, 500) }
      : { code: "unset" },
    attributes: {
      "rpc.system": "aws-api",
      "rpc.service": system,
      "rpc.method": operation,
      ...(service === "dynamodb" && { "db.system.name": "aws.dynamodb", "db.operation.name": operation }),
      ...(error && { "error.type": error.name }),
      ...(error?.status && { "http.response.status_code": error.status }),
    },
  };
}
