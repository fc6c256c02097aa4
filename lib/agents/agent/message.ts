import type { MiddlewareObj } from "@middy/core";
import type { SQSRecord } from "aws-lambda";
import type { AgentPlatform } from "#lib/agents/agent/platform.ts";
import type { EndedStep } from "#lib/agents/agent/record-outcome.ts";
import { settleFailure } from "#lib/agents/agent/settle-failure.ts";
import type { CallMeter } from "#lib/platform/aws/call-meter.ts";
import type { Invocation } from "#lib/platform/lambda/invocation.ts";
import { parseEnvelope } from "#lib/platform/messages/parse-envelope.ts";
import { awsCallMeter } from "#lib/platform/trace/aws-call-attributes.ts";
import { consumerSpan } from "#lib/platform/trace/entry-spans.ts";
import { failSpan, type Span } from "#lib/platform/trace/span.ts";
import type { ClaimResult } from "#lib/resilience/idempotency/step-claims.ts";
import type { ClaimKey } from "#lib/resilience/idempotency/step-item.ts";
import type { Envelope } from "#schemas/messages/envelope.ts";

/** One message on its way through the stack of a queue-fed function; each middleware adds what it found out. */
export interface IncomingMessage
  extends Pick<Invocation<AgentPlatform>, "service" | "platform" | "counters" | "log" | "lambda" | "spans"> {
  record: SQSRecord;
  /** Unix ms. */
  started_ms: number;
  /** Set by `parseMessage`; absent while the message has not been read, or cannot be. */
  envelope?: Envelope;
  /** Set by `traceMessage`: what is done for the message is recorded below it. */
  span?: Span;
  /** Set by `traceMessage`: records the AWS calls that are made for the message. */
  meter?: CallMeter;
  /** Set by `claimStep`; absent when the message came after its deadline and claims nothing. */
  claim?: { key: ClaimKey; result: ClaimResult; lease_ms: number };
}

/** A message that was parsed, in a span of its own: what a handler gets. */
export type ReceivedMessage = IncomingMessage & Required<Pick<IncomingMessage, "envelope" | "span">>;

/** How a message ended. */
export interface MessageEnd {
  /** The SQS message's id when SQS must keep it, so that it returns. */
  returned?: string | undefined;
  /** The step's outcome, when it has one. */
  ended?: EndedStep | undefined;
}

export type MessageMiddleware = MiddlewareObj<IncomingMessage, MessageEnd>;

/** The message as a handler gets it. Throws an Error where a stack lacks `parseMessage` or `traceMessage`. */
export function received(message: IncomingMessage): ReceivedMessage {
  if (!message.envelope) throw new Error("the stack lacks parseMessage");
  if (!message.span) throw new Error("the stack lacks traceMessage");
  return message as ReceivedMessage;
}

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
