import middy from "@middy/core";
import type { Context, SQSBatchResponse, SQSEvent, SQSHandler, SQSRecord } from "aws-lambda";
import { type AgentPlatform, awsAgentPlatform } from "#lib/agents/agent/platform.ts";
import { settleFailure } from "#lib/agents/agent/settle-failure.ts";
import { withCallMeter } from "#lib/platform/aws/call-meter.ts";
import type { Log } from "#lib/platform/log/log.ts";
import { parseEnvelope } from "#lib/platform/messages/parse-envelope.ts";
import { type Counters, makeCounters } from "#lib/platform/metrics/counters.ts";
import { reportMetrics } from "#lib/platform/metrics/report-metrics.ts";
import { awsCallMeter } from "#lib/platform/trace/aws-call-attributes.ts";
import { consumerSpan } from "#lib/platform/trace/consumer-span.ts";
import { type InvocationSpans, invocationSpans } from "#lib/platform/trace/invocation-spans.ts";
import { failSpan, type Span } from "#lib/platform/trace/span.ts";
import type { Envelope } from "#schemas/messages/envelope.ts";

/** One message in the hands of one invocation. */
export interface Delivery {
  envelope: Envelope;
  record: SQSRecord;
  platform: AgentPlatform;
  counters: Counters;
  log: Log;
  /** The message's own span; what is done for it is recorded below. */
  span: Span;
  lambda: Pick<Context, "awsRequestId" | "functionName" | "getRemainingTimeInMillis">;
}

export type ProcessMessage = (delivery: Delivery) => Promise<void>;

/**
 * What every queue-fed function shares: each message of the batch is parsed, processed and settled
 * by itself; those that must come back are named in the partial batch response
 * (https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-errorhandling.html); counts are
 * written once an invocation. `process` returns to acknowledge and throws a `Fault` otherwise.
 */
export function serveQueue(
  service: string,
  process: ProcessMessage,
  platformOf: () => AgentPlatform = awsAgentPlatform,
): SQSHandler {
  const handler = async (event: SQSEvent, lambda: Context): Promise<SQSBatchResponse> => {
    const platform = platformOf();
    const counters = makeCounters();
    const log = platform.logOf(service).with({ request_id: lambda.awsRequestId });
    const { functionName: function_name, awsRequestId: invocation } = lambda;
    const { runtime, spanSinks: sinks } = platform;
    const spans = invocationSpans({ service, function_name, invocation, runtime, log, sinks });
    const following = await platform.followConfig?.(platform.logOf(service));
    const settled = await Promise.all(
      event.Records.map((record) =>
        processRecord(service, record, process, { platform, counters, log, lambda, spans }),
      ),
    );
    following?.stop(counters);
    await Promise.all([
      reportMetrics({ service, role: "worker" }, counters, platform, log),
      spans.flush(lambda.getRemainingTimeInMillis()),
    ]);
    return {
      batchItemFailures: settled
        .filter((id) => id !== undefined)
        .map((itemIdentifier) => ({ itemIdentifier })),
    };
  };
  return middy(handler, { timeoutEarlyInMillis: 0 }) as unknown as SQSHandler;
}

/** The message's id when it must come back, undefined when it is done with. */
async function processRecord(
  service: string,
  record: SQSRecord,
  process: ProcessMessage,
  { spans, ...shared }: Omit<Delivery, "envelope" | "record" | "span"> & { spans: InvocationSpans },
): Promise<string | undefined> {
  const { runtime } = shared.platform;
  const started = runtime.now();
  let envelope: Envelope | undefined;
  try {
    envelope = parseEnvelope(record.body, service);
    const { task_id, step, round, trace_id, tenant } = envelope;
    const log = shared.log.with({ task_id, step, round, trace_id, tenant });
    const recorder = spans.scope({ tenant, task_id });
    const span = consumerSpan({ envelope, record, lambda: shared.lambda, recorder, runtime });
    return await deliver({ ...shared, envelope, record, log, span }, service, process);
  } catch (error) {
    return settleFailure({ ...shared, service, record, envelope, error });
  } finally {
    shared.counters.duration("message", envelope?.tenant ?? "unknown", runtime.now() - started);
  }
}

/** Processes and settles a message in its span, which ends before the invocation's spans are written. */
async function deliver(
  delivery: Delivery,
  service: string,
  process: ProcessMessage,
): Promise<string | undefined> {
  const { span, counters, envelope, platform } = delivery;
  return withCallMeter(awsCallMeter(span, platform.runtime), async () => {
    try {
      await process(delivery);
      counters.count("messages_acknowledged", envelope.tenant);
      return undefined;
    } catch (error) {
      failSpan(span, error);
      return await settleFailure({ ...delivery, service, error });
    } finally {
      span.end();
    }
  });
}
