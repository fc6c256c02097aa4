import type { Context, SQSRecord } from "aws-lambda";
import type { Runtime } from "#lib/platform/runtime/runtime.ts";
import { faasAttributes } from "#lib/platform/trace/faas-attributes.ts";
import { messagingAttributes } from "#lib/platform/trace/messaging-attributes.ts";
import { type Span, startSpan } from "#lib/platform/trace/span.ts";
import type { SpanRecorder } from "#lib/platform/trace/span-recorder.ts";
import { parseTraceparent } from "#lib/platform/trace/traceparent.ts";
import type { Envelope } from "#schemas/messages/envelope.ts";

interface Reception {
  envelope: Envelope;
  record: SQSRecord;
  lambda: Pick<Context, "awsRequestId" | "functionName">;
  recorder: SpanRecorder;
  runtime: Runtime;
}

/**
 * The span of one received message, below the span that sent it. Each delivery has its own, so
 * attempts stand side by side. How long the message had waited is told of its first delivery.
 */
export function consumerSpan({ envelope, record, lambda, recorder, runtime }: Reception): Span {
  const { service, traceparent, tracestate, parent_span_id } = envelope;
  const start_ms = runtime.now();
  const deliveries = Number(record.attributes?.ApproximateReceiveCount ?? 1);
  const age_ms = Math.max(0, start_ms - Number(record.attributes?.SentTimestamp ?? start_ms));
  const queue = record.eventSourceARN?.split(":").at(-1) || service;
  return startSpan(
    parseTraceparent(traceparent, tracestate),
    {
      recorder,
      name: `process ${service}`,
      kind: "consumer",
      start_ms,
      grandparent_span_id: parent_span_id,
      attributes: {
        ...messagingAttributes("process", queue, envelope),
        ...faasAttributes("pubsub", service, lambda),
        "messaging.message.id": record.messageId,
        "agents.delivery": deliveries,
        ...(deliveries === 1 ? { "agents.queue.wait_ms": age_ms } : { "agents.message.age_ms": age_ms }),
      },
    },
    runtime,
  );
}
