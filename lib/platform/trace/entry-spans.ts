import type { APIGatewayProxyEventV2, Context, SQSRecord } from "aws-lambda";
import type { Runtime } from "#lib/platform/runtime/runtime.ts";
import { type Span, type SpanRecorder, startSpan } from "#lib/platform/trace/span.ts";
import { parseTraceparent } from "#lib/platform/trace/traceparent.ts";
import type { Envelope } from "#schemas/messages/envelope.ts";
import type { SpanAttributes } from "#schemas/records/span.ts";

interface Request {
  service: string;
  event: APIGatewayProxyEventV2;
  /** Header names in lower case. */
  headers: Record<string, string>;
  lambda: Pick<Context, "awsRequestId" | "functionName">;
  recorder: SpanRecorder;
  runtime: Runtime;
}

/**
 * Starts the span of one HTTP request: a child of the client's span when it sent a `traceparent`, otherwise the
 * root of a new trace (https://opentelemetry.io/docs/specs/semconv/http/http-spans/#http-server).
 */
export function serverSpan({ service, event, headers, lambda, recorder, runtime }: Request): Span {
  const { method, path } = event.requestContext.http;
  const client = parseTraceparent(headers.traceparent, headers.tracestate);
  const route = event.routeKey.includes(" ") ? event.routeKey.split(" ")[1] : undefined;
  const user_agent = headers["user-agent"];
  return startSpan(
    client,
    {
      recorder,
      name: route ? `${method} ${route}` : method,
      kind: "server",
      attributes: {
        "http.request.method": method,
        "url.path": path,
        ...(route && { "http.route": route }),
        ...(user_agent && { "user_agent.original": user_agent }),
        ...faasAttributes("http", service, lambda),
      },
    },
    runtime,
  );
}

interface Reception {
  envelope: Envelope;
  record: SQSRecord;
  lambda: Pick<Context, "awsRequestId" | "functionName">;
  recorder: SpanRecorder;
  runtime: Runtime;
}

/**
 * Starts the span of one received message, as a child of the sending span. Each receive has a span of its own, so
 * attempts are siblings. Only the first receive records how long the message waited in the queue.
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

/** Services that this process has served before: their invocations are not cold starts. */
const warm = new Set<string>();

/** https://opentelemetry.io/docs/specs/semconv/faas/faas-spans/ */
function faasAttributes(
  trigger: "http" | "pubsub" | "timer",
  service: string,
  lambda: Pick<Context, "awsRequestId" | "functionName">,
): SpanAttributes {
  const coldstart = !warm.has(service);
  warm.add(service);
  return {
    "faas.trigger": trigger,
    "faas.name": lambda.functionName,
    "faas.invocation_id": lambda.awsRequestId,
    ...(coldstart && { "faas.coldstart": true }),
  };
}

/** https://opentelemetry.io/docs/specs/semconv/messaging/ for SQS, and what the message is about. */
export function messagingAttributes(
  operation: "send" | "process",
  queue: string,
  envelope: Pick<Envelope, "service" | "message_id" | "step" | "round" | "attempt">,
): SpanAttributes {
  return {
    "messaging.system": "aws_sqs",
    "messaging.operation.name": operation,
    "messaging.operation.type": operation,
    "messaging.destination.name": queue,
    "messaging.destination.template": envelope.service,
    "messaging.message.conversation_id": envelope.message_id,
    "agents.step": envelope.step,
    "agents.round": envelope.round,
    "agents.dispatch": envelope.attempt,
  };
}
