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
    iam?: { role?: { statements?: unknown[] | undefined } | undefined } | undefined;
  };
  custom?:
    | {
        public_routes?: readonly string[] | undefined;
        api_key_pepper?: unknown;
        webhook_secret_root?: unknown;
      }
    | undefined;
  functions: Record<string, FunctionDeclaration>;
  resources?: { Resources?: Record<string, unknown> | undefined } | undefined;
}

export interface FunctionDeclaration {
  environment?: Record<string, unknown> | undefined;
  timeout?: unknown;
  agent?: AgentSettings | undefined;
  events?: unknown[] | undefined;
}

/** https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-configure.html */
const VISIBILITY_FACTOR = 6;
/** The safety net only: attempts are counted in the step record. */
const RECEIVE_COUNT_MAX = 20;
const DEAD_LETTER_SECONDS = 14 * 24 * 3600;

/**
 * Gives every function with an `agent:` block its queue, its DLQ with native redrive, its event
 * source with partial batch responses, and tells the senders where the queues are and that they may
 * send. So that a new agent is one block, and no queue can be declared without its DLQ.
 */
export function expandAgents(service: ServiceDeclaration): void {
  const queues: string[] = [];
  const dead_letter_queues: string[] = [];
  for (const [name, declaration] of Object.entries(service.functions)) {
    if (declaration.agent === undefined) continue;
    const queue = `${pascalCase(name)}Queue`;
    const dead = `${pascalCase(name)}DeadLetterQueue`;
    declareQueues(service, name, declaration, { queue, dead });
    declaration.events = [...(declaration.events ?? []), eventSource(queue, declaration.agent)];
    queues.push(queue);
    dead_letter_queues.push(dead);
  }
  if (queues.length > 0) allowSending(service, queues, dead_letter_queues);
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
    [`${dead}Alarm`]: deadLetterAlarm(queue_name, dead),
  });
  const suffix = name.toUpperCase().replaceAll("-", "_");
  service.provider.environment = {
    ...service.provider.environment,
    [`QUEUE_URL_${suffix}`]: { Ref: queue },
    [`DLQ_URL_${suffix}`]: { Ref: dead },
  };
}

/** One dead letter is one too many: each is work that waits for a person. */
function deadLetterAlarm(queue_name: string, dead: string) {
  return {
    Type: "AWS::CloudWatch::Alarm",
    Properties: {
      AlarmName: `${queue_name}-dlq-not-empty`,
      AlarmDescription: "Work waits for a person. Runbook: docs/runbooks/dlq-not-empty.md",
      Namespace: "AWS/SQS",
      MetricName: "ApproximateNumberOfMessagesVisible",
      Dimensions: [{ Name: "QueueName", Value: { "Fn::GetAtt": [dead, "QueueName"] } }],
      Statistic: "Maximum",
      Period: 60,
      EvaluationPeriods: 1,
      Threshold: 0,
      ComparisonOperator: "GreaterThanThreshold",
      TreatMissingData: "notBreaching",
    },
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

/** Terminal failures go straight to a DLQ; nothing here may read or empty one. */
function allowSending(service: ServiceDeclaration, queues: string[], dead_letter_queues: string[]): void {
  const { provider } = service;
  provider.iam ??= {};
  provider.iam.role ??= {};
  provider.iam.role.statements = [
    ...(provider.iam.role.statements ?? []),
    {
      Effect: "Allow",
      Action: ["sqs:SendMessage", "sqs:ChangeMessageVisibility", "sqs:GetQueueAttributes"],
      Resource: queues.map(arnOf),
    },
    {
      Effect: "Allow",
      Action: ["sqs:SendMessage", "sqs:GetQueueAttributes"],
      Resource: dead_letter_queues.map(arnOf),
    },
  ];
}

function pascalCase(name: string): string {
  return name.replace(/(?:^|-)([a-z0-9])/g, (_, first: string) => first.toUpperCase());
}
