import { documentClient, sqsClient } from "#lib/platform/aws/clients.ts";
import { s3Blobs } from "#lib/platform/blobs/s3-blobs.ts";
import { config } from "#lib/platform/config/config.ts";
import type { Loaded } from "#lib/platform/config/config-file.ts";
import type { InvocationPorts } from "#lib/platform/lambda/invocation.ts";
import { jsonLog } from "#lib/platform/log/json-log.ts";
import type { SendPorts } from "#lib/platform/messages/send-message.ts";
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
