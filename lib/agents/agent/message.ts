import type { MiddlewareObj } from "@middy/core";
import type { SQSRecord } from "aws-lambda";
import type { AgentPlatform } from "#lib/agents/agent/platform.ts";
import type { EndedStep } from "#lib/agents/agent/record-outcome.ts";
import type { CallMeter } from "#lib/platform/aws/call-meter.ts";
import type { Invocation } from "#lib/platform/lambda/invocation.ts";
import type { Span } from "#lib/platform/trace/span.ts";
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
