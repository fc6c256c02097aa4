import { pascalCase } from "./logical-id.ts";

/** `agent:` in a function's block of serverless.yml: it is fed by a queue of its own. */
interface AgentSettings {
  /** Messages an invocation takes at most. */
  batch_size?: number;
  /** Invocations at the same time at most. */
  concurrency_max?: number;
}

/** The parts of a service declaration this reads and adds to. */
export interface ServiceDeclaration {
  service: string;
  provider: {
    stage?: string | undefined;
    environment?: Record<string, unknown> | undefined;
  };
  custom?:
    | {
        public_routes?: readonly string[] | undefined;
        api_key_pepper?: unknown;
        webhook_secret_root?: unknown;
        stages?: Record<string, { concurrency_max?: number | undefined }> | undefined;
      }
    | undefined;
  functions: Record<string, FunctionDeclaration>;
  package?: { artifact?: string } | undefined;
  resources?: { Resources?: Record<string, unknown> | undefined } | undefined;
}

export interface FunctionDeclaration {
  environment?: Record<string, unknown> | undefined;
  timeout?: unknown;
  agent?: AgentSettings | undefined;
  /** What it may do besides serving its queue: scripts/serverless/access/grants.ts. */
  access?: string[] | undefined;
  /** Ships in the container image of this name, see containers/; all others ship as a zip. */
  container?: string | undefined;
  /** Logical id of its role. */
  role?: string | undefined;
  events?: unknown[] | undefined;
}

/** https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-configure.html */
const VISIBILITY_FACTOR = 6;
/** The safety net only: attempts are counted in the step record. */
const RECEIVE_COUNT_MAX = 20;
/** A dead letter's age counts from when it was sent first, so a DLQ must keep messages for longer. */
const MESSAGE_SECONDS = 4 * 24 * 3600;
const DEAD_LETTER_SECONDS = 14 * 24 * 3600;

/**
 * Gives every function with an `agent:` block its queue, its DLQ with native redrive, its event
 * source with partial batch responses, and tells the senders where the queues are. So that a new agent
 * is one block, and no queue can be declared without its DLQ.
 */
export function expandAgents(service: ServiceDeclaration): void {
  for (const [name, declaration] of Object.entries(service.functions)) {
    if (declaration.agent === undefined) continue;
    const queue = `${pascalCase(name)}Queue`;
    const dead = `${pascalCase(name)}DeadLetterQueue`;
    declareQueues(service, name, declaration, { queue, dead });
    declaration.events = [...(declaration.events ?? []), eventSource(queue, declaration.agent)];
  }
}

const arnOf = (id: string) => ({ "Fn::GetAtt": [id, "Arn"] });

function declareQueues(
  service: ServiceDeclaration,
  name: string,
  { timeout }: FunctionDeclaration,
  { queue, dead }: { queue: string; dead: string },
): void {
  if (typeof timeout !== "number")
    throw new TypeError(`function ${name}: write its timeout as a number of seconds`);
  const queue_name = `${service.service}-${service.provider.stage}-${name}`;
  service.resources ??= {};
  service.resources.Resources ??= {};
  Object.assign(service.resources.Resources, {
    [queue]: {
      Type: "AWS::SQS::Queue",
      Properties: {
        QueueName: queue_name,
        VisibilityTimeout: timeout * VISIBILITY_FACTOR,
        MessageRetentionPeriod: MESSAGE_SECONDS,
        SqsManagedSseEnabled: true,
        RedrivePolicy: { deadLetterTargetArn: arnOf(dead), maxReceiveCount: RECEIVE_COUNT_MAX },
      },
    },
    [dead]: {
      Type: "AWS::SQS::Queue",
      Properties: {
        QueueName: `${queue_name}-dlq`,
        MessageRetentionPeriod: DEAD_LETTER_SECONDS,
        SqsManagedSseEnabled: true,
      },
    },
  });
  const suffix = name.toUpperCase().replaceAll("-", "_");
  service.provider.environment = {
    ...service.provider.environment,
    [`QUEUE_URL_${suffix}`]: { Ref: queue },
    [`DLQ_URL_${suffix}`]: { Ref: dead },
  };
}

function eventSource(queue: string, { batch_size = 1, concurrency_max = 10 }: AgentSettings) {
  return {
    sqs: {
      arn: arnOf(queue),
      batchSize: batch_size,
      maximumBatchingWindow: 0,
      maximumConcurrency: concurrency_max,
      functionResponseType: "ReportBatchItemFailures",
    },
  };
}
