import { sendEnvelope } from "#lib/platform/messages/send-envelope.ts";
import type { SendPorts } from "#lib/platform/messages/send-message.ts";
import { instant } from "#lib/platform/runtime/runtime.ts";
import { messagingAttributes } from "#lib/platform/trace/entry-spans.ts";
import { inSpan } from "#lib/platform/trace/span.ts";
import { childSpan, formatTraceparent, type TraceContext } from "#lib/platform/trace/traceparent.ts";
import type { Envelope } from "#schemas/messages/envelope.ts";

/**
 * SQS delays one message by 15 minutes at most. Whoever waits longer is received then, found parked
 * and forwarded again.
 * https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-message-timers.html
 */
const DELAY_SECONDS_MAX = 900;

/**
 * Sends a message's successor: the same work as a new message, whose receives count from 0, visible
 * after `delay_ms`. The message itself may be acknowledged once this returned.
 */
export async function forwardMessage(
  original: Envelope,
  delay_ms: number,
  parent: TraceContext,
  ports: SendPorts,
): Promise<void> {
  const { runtime } = ports;
  const span = childSpan(parent, runtime);
  const successor: Envelope = {
    ...original,
    message_id: runtime.uuid(),
    trace_id: span.trace_id,
    span_id: span.span_id,
    parent_span_id: parent.span_id,
    traceparent: formatTraceparent(span),
    issued_at: instant(runtime.now()),
  };
  const delay_seconds = Math.min(DELAY_SECONDS_MAX, Math.max(0, Math.ceil(delay_ms / 1000)));
  const queue_url = ports.queueUrl(original.service);
  const queue = queue_url.split("/").at(-1) || original.service;
  await inSpan(
    parent,
    {
      name: `forward ${original.service}`,
      kind: "producer",
      span_id: successor.span_id,
      attributes: {
        ...messagingAttributes("send", queue, successor),
        "agents.retry.delay_ms": Math.round(delay_ms),
      },
    },
    runtime,
    () => sendEnvelope(queue_url, successor, ports, delay_seconds),
  );
}
