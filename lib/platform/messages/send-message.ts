import { type EnvelopeParts, makeEnvelope } from "#lib/platform/messages/envelope.ts";
import { type MessagePorts, sendEnvelope } from "#lib/platform/messages/send-envelope.ts";
import { instant, type Runtime } from "#lib/platform/runtime/runtime.ts";
import type { Settings } from "#lib/platform/settings/environment.ts";
import { messagingAttributes } from "#lib/platform/trace/entry-spans.ts";
import { inSpan, startSpan, untilEnd } from "#lib/platform/trace/span.ts";
import { childSpan, formatTraceparent, type TraceContext } from "#lib/platform/trace/traceparent.ts";
import type { AdvancePayload, Envelope } from "#schemas/messages/envelope.ts";
import type { SpanAttributes } from "#schemas/records/span.ts";

/** The dependencies of sending a message. */
export interface SendPorts extends MessagePorts {
  runtime: Runtime;
  settings: Pick<Settings, "shard">;
  queueUrl(service: string): string;
}

/** Sends a prepared message. To be called once. */
export type SendPrepared = () => Promise<void>;

/**
 * Makes a message and begins its producer span, which the message names as its parent. So a write that comes before the
 * message carries that span. A message that is not sent after all leaves the span open.
 */
export function prepareMessage(
  parts: Omit<EnvelopeParts, "role" | "shard">,
  ports: SendPorts,
  attributes: SpanAttributes = {},
): SendPrepared {
  const envelope = makeEnvelope({ ...parts, role: "worker", shard: ports.settings.shard }, ports.runtime);
  const queue_url = ports.queueUrl(parts.service);
  const span = startSpan(
    parts.parent,
    {
      name: `send ${parts.service}`,
      kind: "producer",
      span_id: envelope.span_id,
      attributes: {
        ...messagingAttributes("send", queue_url.split("/").at(-1) || parts.service, envelope),
        ...attributes,
      },
    },
    ports.runtime,
  );
  return () => untilEnd(span, () => sendEnvelope(queue_url, envelope, ports));
}

const ORCHESTRATOR = "orchestrator";

interface TaskPosition {
  tenant: string;
  task_id: string;
  deadline_at: string;
  parent: TraceContext;
}

/** A nudge (below), made before the write that it tells of. */
export function prepareNudge(
  { tenant, task_id, deadline_at, parent }: TaskPosition,
  reason: AdvancePayload["reason"],
  ports: SendPorts,
): SendPrepared {
  const payload: AdvancePayload = { reason };
  const place = { service: ORCHESTRATOR, tenant, task_id, step: "advance", round: 0, attempt: 0 };
  return prepareMessage({ ...place, payload, deadline_at, parent }, ports, { "agents.nudge.reason": reason });
}

/**
 * Tells the orchestrator to look at a task. It decides from the ledger alone, so a nudge that is
 * sent twice, late or out of order does no harm.
 */
export async function nudge(
  task: TaskPosition,
  reason: AdvancePayload["reason"],
  ports: SendPorts,
): Promise<void> {
  await prepareNudge(task, reason, ports)();
}

/**
 * SQS delays a message by 15 minutes at most. A message that must wait longer is received then, found parked and
 * forwarded again.
 * https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-message-timers.html
 */
const DELAY_SECONDS_MAX = 900;

/**
 * Sends a message's successor: the same work as a new message with receive count 0, visible after `delay_ms`. The
 * original may be acknowledged once this has returned.
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
