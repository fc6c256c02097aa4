import { type IncomingMessage, type MessageMiddleware, received } from "#lib/agents/agent/message.ts";
import { settleFailure } from "#lib/agents/agent/settle-failure.ts";
import { parseEnvelope } from "#lib/platform/messages/parse-envelope.ts";
import { awsCallMeter } from "#lib/platform/trace/aws-call-attributes.ts";
import { consumerSpan } from "#lib/platform/trace/consumer-span.ts";
import { failSpan } from "#lib/platform/trace/span.ts";

/** Counts how long the message took, under its tenant. */
export function measureMessage(): MessageMiddleware {
  const end = ({ event: message }: { event: IncomingMessage }) => {
    const { counters, envelope, platform, started_ms } = message;
    counters.duration("message", envelope?.tenant ?? "unknown", platform.runtime.now() - started_ms);
  };
  return { after: end, onError: end };
}

/** Reads the message's envelope and logs with its ids. Throws TerminalFault `ENVELOPE_INVALID`, `TRACE_MISSING`. */
export function parseMessage(): MessageMiddleware {
  return {
    before: ({ event: message }) => {
      const envelope = parseEnvelope(message.record.body, message.service);
      const { task_id, step, round, trace_id, tenant } = envelope;
      message.envelope = envelope;
      message.log = message.log.with({ task_id, step, round, trace_id, tenant });
    },
  };
}

/** Records the work on the message, and the AWS calls it makes, in a span below the one that sent it. */
export function traceMessage(): MessageMiddleware {
  return {
    before: ({ event: message }) => {
      const { envelope, record, lambda, spans, platform } = message;
      if (!envelope) throw new Error("the stack lacks parseMessage");
      const { runtime } = platform;
      const { tenant, task_id } = envelope;
      const recorder = spans.scope({ tenant, task_id });
      message.span = consumerSpan({ envelope, record, lambda, recorder, runtime });
      message.meter = awsCallMeter(message.span, runtime);
    },
    after: ({ event: { span } }) => {
      span?.end();
    },
    onError: ({ event: { span }, error }) => {
      if (span) failSpan(span, error);
      span?.end();
    },
  };
}

/** Acknowledges a message that succeeded; decides by the fault's disposition about one that failed. */
export function settleMessage(): MessageMiddleware {
  return {
    after: ({ event: message }) => {
      message.counters.count("messages_acknowledged", received(message).envelope.tenant);
    },
    onError: async (request) => {
      const { event, error } = request;
      // Not returned, for middy would skip the middlewares further out.
      request.response = { returned: await settleFailure({ ...event, envelope: event.envelope, error }) };
    },
  };
}
