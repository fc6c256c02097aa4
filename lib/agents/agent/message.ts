import type { MiddlewareObj } from "@middy/core";
import type { SQSRecord } from "aws-lambda";
import type { AgentPlatform } from "#lib/agents/agent/platform.ts";
import type { EndedStep } from "#lib/agents/agent/record-outcome.ts";
import { settleFailure } from "#lib/agents/agent/settle-failure.ts";
import type { CallMeter } from "#lib/platform/aws/call-meter.ts";
import type { Invocation } from "#lib/platform/lambda/invocation.ts";
import { parseEnvelope } from "#lib/platform/messages/envelope.ts";
import type { SendPrepared } from "#lib/platform/messages/send-message.ts";
import { awsCallMeter } from "#lib/platform/trace/aws-call-attributes.ts";
import { consumerSpan } from "#lib/platform/trace/entry-spans.ts";
import { failSpan, type Span } from "#lib/platform/trace/span.ts";
import type { ClaimResult } from "#lib/resilience/idempotency/step-claims.ts";
import type { ClaimKey } from "#lib/resilience/idempotency/step-item.ts";
import type { Envelope } from "#schemas/messages/envelope.ts";

/** One message in the middleware stack of a queue-fed function. Each middleware adds its results. */
export interface IncomingMessage
  extends Pick<Invocation<AgentPlatform>, "service" | "platform" | "counters" | "log" | "lambda" | "spans"> {
  record: SQSRecord;
  /** Unix ms. */
  started_ms: number;
  /** Set by `parseMessage`; absent before that, or when the message cannot be read. */
  envelope?: Envelope;
  /** Set by `traceMessage`: the parent of every span recorded for the message. */
  span?: Span;
  /** Set by `traceMessage`: records the AWS calls that are made for the message. */
  meter?: CallMeter;
  /** Set by `claimStep`; absent when the message came after its deadline and claims nothing. */
  claim?: { key: ClaimKey; result: ClaimResult; lease_ms: number };
  /** Set by `publishOutcome` unless nobody is nudged: makes the nudge that tells of the step's end; the same each time. */
  prepareNudge?: () => SendPrepared;
}

/** A parsed message with its span, as a handler receives it. */
export type ReceivedMessage = IncomingMessage & Required<Pick<IncomingMessage, "envelope" | "span">>;

/** How a message ended. */
export interface MessageEnd {
  /** The SQS message's id when SQS must keep it, so that it returns. */
  returned?: string | undefined;
  /** The step's outcome, when it has one. */
  ended?: EndedStep | undefined;
}

export type MessageMiddleware = MiddlewareObj<IncomingMessage, MessageEnd>;

/** The message as a handler receives it. Throws an Error when the stack lacks `parseMessage` or `traceMessage`. */
export function received(message: IncomingMessage): ReceivedMessage {
  if (!message.envelope) throw new Error("the stack lacks parseMessage");
  if (!message.span) throw new Error("the stack lacks traceMessage");
  return message as ReceivedMessage;
}

/** Records the duration of the message's processing under its tenant. */
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
      const { ApproximateReceiveCount, SentTimestamp } = message.record.attributes;
      if (ApproximateReceiveCount === "1") {
        message.counters.duration(
          "queue_wait",
          tenant,
          Math.max(0, message.started_ms - Number(SentTimestamp)),
        );
      }
      message.log = message.log.with({ task_id, step, round, trace_id, tenant });
    },
  };
}

/** Records the processing of the message, and its AWS calls, in a child span of the sending span. */
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

/** Acknowledges a message that succeeded. Settles a failed message by its fault's disposition. */
export function settleMessage(): MessageMiddleware {
  return {
    after: ({ event: message }) => {
      message.counters.count("messages_acknowledged", received(message).envelope.tenant);
    },
    onError: async (request) => {
      const { event, error } = request;
      // Set, not returned: middy skips the outer middlewares when a value is returned.
      request.response = { returned: await settleFailure({ ...event, envelope: event.envelope, error }) };
    },
  };
}
