import middy from "@middy/core";
import type { Context, SQSBatchResponse, SQSEvent, SQSHandler, SQSRecord } from "aws-lambda";
import { awsPlatform, type Platform } from "#lib/agent/platform.ts";
import { settleFailure } from "#lib/agent/settle-failure.ts";
import { TerminalFault } from "#lib/errors/fault.ts";
import type { Log } from "#lib/log/log.ts";
import { type Counters, makeCounters } from "#lib/metrics/counters.ts";
import { reportMetrics } from "#lib/metrics/report-metrics.ts";
import { Envelope } from "#schemas/messages/envelope.ts";

/** One message in the hands of one invocation. */
export interface Delivery {
  envelope: Envelope;
  record: SQSRecord;
  platform: Platform;
  counters: Counters;
  log: Log;
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
  platformOf: () => Platform = awsPlatform,
): SQSHandler {
  const handler = async (event: SQSEvent, lambda: Context): Promise<SQSBatchResponse> => {
    const platform = platformOf();
    const counters = makeCounters();
    const log = platform.logOf(service).with({ request_id: lambda.awsRequestId });
    const following = await platform.followConfig?.(platform.logOf(service));
    const settled = await Promise.all(
      event.Records.map((record) =>
        processRecord(service, record, process, { platform, counters, log, lambda }),
      ),
    );
    following?.stop(counters);
    await reportMetrics({ service, role: "worker" }, counters, platform, log);
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
  shared: Omit<Delivery, "envelope" | "record">,
): Promise<string | undefined> {
  const started = shared.platform.runtime.now();
  let envelope: Envelope | undefined;
  try {
    envelope = parseEnvelope(record.body, service);
    const { task_id, step, round, trace_id, tenant } = envelope;
    const log = shared.log.with({ task_id, step, round, trace_id, tenant });
    await process({ ...shared, envelope, record, log });
    shared.counters.count("messages_acknowledged", tenant);
    return undefined;
  } catch (error) {
    return settleFailure({ ...shared, service, record, envelope, error });
  } finally {
    const ended = shared.platform.runtime.now();
    shared.counters.duration("message", envelope?.tenant ?? "unknown", ended - started);
  }
}

function parseEnvelope(body: string, service: string): Envelope {
  try {
    const envelope = Envelope.parse(JSON.parse(body));
    if (envelope.service === service) return envelope;
    throw new TypeError(`it is for ${envelope.service}`);
  } catch (cause) {
    throw new TerminalFault("ENVELOPE_INVALID", `the message is no envelope for ${service}`, { cause });
  }
}
