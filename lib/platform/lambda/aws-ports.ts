import { documentClient, sqsClient } from "#lib/platform/aws/clients.ts";
import { s3Blobs } from "#lib/platform/blobs/s3-blobs.ts";
import { config } from "#lib/platform/config/config.ts";
import type { Loaded } from "#lib/platform/config/config-file.ts";
import type { InvocationPorts } from "#lib/platform/lambda/invocation.ts";
import { jsonLog } from "#lib/platform/log/json-log.ts";
import type { SendPorts } from "#lib/platform/messages/send-message.ts";
import { type CountBuffer, countBuffer } from "#lib/platform/metrics/count-buffer.ts";
import { systemRuntime } from "#lib/platform/runtime/runtime.ts";
import { deadLetterQueueUrl, queueUrl, settings } from "#lib/platform/settings/environment.ts";
import { awsSpanSinks } from "#lib/platform/trace/aws-span-sinks.ts";
import type { ArtifactsConfig } from "#schemas/config/artifacts.ts";

/** What functions of every kind share on AWS and its emulators. */
interface AwsPorts extends InvocationPorts, SendPorts {
  settings: InvocationPorts["settings"];
  /** How long records and objects are kept. */
  artifacts(): Loaded<ArtifactsConfig>;
  deadLetterQueueUrl(service: string): string;
}

let shared: AwsPorts | undefined;

/** The table, queues, blobs, configuration and logs of AWS and its emulators; one set for each process. */
export function awsPorts(): AwsPorts {
  shared ??= {
    runtime: systemRuntime,
    table: documentClient(),
    sqs: sqsClient(),
    settings: settings(),
    counts: environmentCounts(),
    artifacts: config.artifacts,
    followConfig: config.follow,
    blobsOf: (tenant, trace) => s3Blobs({ tenant, trace }),
    queueUrl,
    deadLetterQueueUrl,
    logOf: (service) => jsonLog({ service }),
    spanSinks: awsSpanSinks(),
  };
  return shared;
}

/**
 * The counts of this environment. A process that is asked to end, as on a laptop, writes them first. Lambda asks none
 * without an extension, so there the counts since the last flush are lost with the environment.
 * https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtime-environment.html
 */
function environmentCounts(): CountBuffer {
  const counts = countBuffer(systemRuntime);
  const log = jsonLog({ service: "telemetry" });
  process.once("SIGTERM", () => {
    const { table_name } = settings();
    const closed = counts.close({ table: documentClient(), table_name, runtime: systemRuntime, log });
    void closed.finally(() => {
      if (process.listenerCount("SIGTERM") === 0) process.kill(process.pid, "SIGTERM");
    });
  });
  return counts;
}
