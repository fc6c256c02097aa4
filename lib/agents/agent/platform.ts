import type { SQSClient } from "@aws-sdk/client-sqs";
import type { DynamoDBDocumentClient } from "@aws-sdk/lib-dynamodb";
import { type RequestGate, requestGate } from "#lib/http/policy/request-gate.ts";
import { documentClient, sqsClient } from "#lib/platform/aws/clients.ts";
import type { BlobStore, BlobTrace } from "#lib/platform/blobs/blobs.ts";
import { s3Blobs } from "#lib/platform/blobs/s3-blobs.ts";
import { config } from "#lib/platform/config/config.ts";
import type { Loaded } from "#lib/platform/config/config-file.ts";
import type { Following } from "#lib/platform/config/config-store.ts";
import { jsonLog } from "#lib/platform/log/json-log.ts";
import type { Log } from "#lib/platform/log/log.ts";
import { type Runtime, systemRuntime } from "#lib/platform/runtime/runtime.ts";
import { deadLetterQueueUrl, queueUrl, type Settings, settings } from "#lib/platform/settings/environment.ts";
import { awsSpanSinks } from "#lib/platform/trace/aws-span-sinks.ts";
import type { SpanSink } from "#lib/platform/trace/span-sink.ts";
import { type DependencyGuard, dependencyGuard } from "#lib/resilience/circuit/dependency-guard.ts";
import type { Claims } from "#lib/resilience/idempotency/step-claims.ts";
import { stepClaims } from "#lib/resilience/idempotency/step-claims.ts";
import { retryPolicyFor } from "#lib/resilience/retry/retry-policy-for.ts";
import type { ArtifactsConfig } from "#schemas/config/artifacts.ts";
import type { AuthenticationConfig } from "#schemas/config/authentication.ts";
import type { RetryPolicyConfig } from "#schemas/config/retry-policy.ts";

/** Everything a handler takes from its surroundings; a simulation gives its own. */
export interface Platform {
  runtime: Runtime;
  table: DynamoDBDocumentClient;
  sqs: SQSClient;
  claims: Claims;
  settings: Settings;
  retryPolicy(): Loaded<RetryPolicyConfig>;
  /** Brings the configuration up to date when an invocation begins; absent where it cannot change. */
  followConfig?(log: Log): Promise<Following>;
  /** With `trace`, what is written says whose trace it comes from, and what is read is linked to. */
  blobsOf(tenant: string, trace?: BlobTrace): BlobStore;
  /** How long things are kept. */
  artifacts(): Loaded<ArtifactsConfig>;
  /** Stands before every dependency an agent calls; without one every call is let through. */
  guard?: DependencyGuard;
  /** How callers prove who they are; absent where nobody calls. */
  authentication?(): Loaded<AuthenticationConfig>;
  queueUrl(service: string): string;
  deadLetterQueueUrl(service: string): string;
  logOf(service: string): Log;
  /** Who may ask for what, and how often; without it every HTTP route is closed. */
  requestGate?: RequestGate;
  /** Where finished spans go; without it none are kept. */
  spanSinks?: readonly SpanSink[];
}

let shared: Platform | undefined;

/** The platform as AWS, LocalStack and the embedded stack give it; one for a whole process. */
export function awsPlatform(): Platform {
  shared ??= {
    runtime: systemRuntime,
    table: documentClient(),
    sqs: sqsClient(),
    claims: stepClaims({
      table: documentClient(),
      table_name: settings().table_name,
      runtime: systemRuntime,
    }),
    settings: settings(),
    retryPolicy: config.retryPolicy,
    artifacts: config.artifacts,
    authentication: config.authentication,
    followConfig: config.follow,
    blobsOf: (tenant, trace) => s3Blobs({ tenant, trace }),
    guard: dependencyGuard({
      runtime: systemRuntime,
      table: documentClient(),
      table_name: settings().table_name,
      log: jsonLog({ service: "circuit" }),
      circuitPolicy: config.circuitBreaker,
      retryBudget: (labels) => {
        const policy = retryPolicyFor(config.retryPolicy().value, labels);
        return { ratio: policy.retry_budget_ratio, floor_per_minute: policy.retry_budget_floor_per_minute };
      },
    }),
    queueUrl,
    deadLetterQueueUrl,
    logOf: (service) => jsonLog({ service }),
    requestGate: requestGate({
      routePolicies: config.routePolicies,
      stage: settings().stage,
      table: documentClient(),
      table_name: settings().table_name,
      runtime: systemRuntime,
    }),
    spanSinks: awsSpanSinks(),
  };
  return shared;
}
