import middy from "@middy/core";
import type { Context, SQSBatchResponse, SQSEvent, SQSHandler } from "aws-lambda";
import type {
  IncomingMessage,
  MessageEnd,
  MessageMiddleware,
  ReceivedMessage,
} from "#lib/agents/agent/message.ts";
import {
  measureMessage,
  parseMessage,
  received,
  settleMessage,
  traceMessage,
} from "#lib/agents/agent/message.ts";
import { type AgentPlatform, awsAgentPlatform } from "#lib/agents/agent/platform.ts";
import { withCallMeter } from "#lib/platform/aws/call-meter.ts";
import {
  beginInvocation,
  finishInvocation,
  flushSpans,
  followConfig,
  type Invocation,
  reportCounts,
} from "#lib/platform/lambda/invocation.ts";
import { countAwsCall } from "#lib/platform/metrics/count-aws-calls.ts";

/** Returns to acknowledge the message and throws a `Fault` otherwise. */
export type ProcessMessage =
  | ((message: ReceivedMessage) => Promise<MessageEnd>)
  | ((message: ReceivedMessage) => Promise<void>);

interface Batch extends Invocation<AgentPlatform> {
  event: SQSEvent;
}

/**
 * Makes the Lambda handler of a queue-fed function. The invocation passes one list of middlewares. Each message of
 * its batch passes a second list, then the middlewares in `own`, then `process`.
 */
export function serveQueue(
  service: string,
  process: ProcessMessage,
  platformOf: () => AgentPlatform = awsAgentPlatform,
  own: MessageMiddleware[] = [],
): SQSHandler {
  const message = middy<IncomingMessage, MessageEnd>({ timeoutEarlyInMillis: 0 })
    .use([measureMessage(), parseMessage(), traceMessage(), settleMessage(), ...own])
    .handler(async (incoming: IncomingMessage) => (await process(received(incoming))) ?? {});
  const batch = middy<Batch, SQSBatchResponse>({ timeoutEarlyInMillis: 0 })
    .use([finishInvocation(), flushSpans(), reportCounts("worker"), followConfig()])
    .handler(partialBatchResponse(message));
  return (event: SQSEvent, lambda: Context) => {
    const invocation = beginInvocation(service, lambda, platformOf());
    const log = invocation.log.with({ request_id: lambda.awsRequestId });
    return batch({ ...invocation, log, event, served: event.Records.length }, lambda);
  };
}

/**
 * Serves the messages of a batch concurrently and returns the ids of those that SQS must deliver again
 * (https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-errorhandling.html).
 */
export function partialBatchResponse(
  serve: (message: IncomingMessage, lambda: Context) => Promise<MessageEnd>,
): (batch: Batch, lambda: Context) => Promise<SQSBatchResponse> {
  return async ({ event, ...invocation }, lambda) => {
    const ends = await Promise.all(
      event.Records.map((record) => {
        const started_ms = invocation.platform.runtime.now();
        const message: IncomingMessage = { ...invocation, record, started_ms };
        return withCallMeter(
          (call) => {
            message.meter?.(call);
            countAwsCall(call, message.envelope?.tenant, invocation.counters);
          },
          () => serve(message, lambda),
        );
      }),
    );
    const returned = ends.flatMap((end) => end.returned ?? []);
    return { batchItemFailures: returned.map((itemIdentifier) => ({ itemIdentifier })) };
  };
}
