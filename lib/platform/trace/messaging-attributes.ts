import type { Envelope } from "#schemas/messages/envelope.ts";
import type { SpanAttributes } from "#schemas/records/span.ts";

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
