import type { FunctionDeclaration, ServiceDeclaration } from "./expand-agents.ts";
import { pascalCase } from "./logical-id.ts";

/** What one alarm watches; the rest is the same for all. */
interface Watch {
  /** Ends the alarm's name. */
  name: string;
  /** A sentence that says what it means. */
  meaning: string;
  /** In docs/runbooks/, without `.md`. */
  runbook: string;
  namespace: string;
  metric: string;
  dimension: { Name: string; Value: unknown };
  statistic: "Maximum" | "Sum";
  period_seconds: number;
  /** How many periods in a row; 1 unless told otherwise. */
  periods?: number;
  threshold: number;
  comparison?: "GreaterThanThreshold" | "LessThanThreshold";
  missing?: "breaching" | "notBreaching";
}

/** A message waits this long at least before anybody is called. */
const QUEUE_AGE_SECONDS_MIN = 900;
const TIMEOUT_FACTOR = 2;
const FIVE_MINUTES = 300;

/**
 * Declares the alarms of a deployed stage: for every DLQ, queue, function and schedule, the HTTP API
 * and the table. Each goes to the stage's topic, and its description names the runbook to open.
 */
export function addAlarms(service: ServiceDeclaration): void {
  const prefix = `${service.service}-${service.provider.stage}`;
  const watches = [
    ...Object.entries(service.functions).flatMap(([name, one]) => [
      ...(one.agent ? queueWatches(name, one) : []),
      ...functionWatches(name, `${prefix}-${name}`, one),
    ]),
    ...sharedWatches(),
  ];
  const declared = service.resources?.Resources ?? {};
  for (const watch of watches) {
    declared[`${pascalCase(watch.name)}Alarm`] = alarm(watch, prefix);
  }
  service.resources = { ...service.resources, Resources: declared };
}

/** One dead letter is one too many: each is work that waits for a person. */
function queueWatches(name: string, { timeout }: FunctionDeclaration): Watch[] {
  const queue = { Name: "QueueName", Value: { "Fn::GetAtt": [`${pascalCase(name)}Queue`, "QueueName"] } };
  const dead = {
    Name: "QueueName",
    Value: { "Fn::GetAtt": [`${pascalCase(name)}DeadLetterQueue`, "QueueName"] },
  };
  const of_queue = { namespace: "AWS/SQS", statistic: "Maximum", period_seconds: 60 } as const;
  return [
    {
      ...of_queue,
      name: `${name}-dlq-not-empty`,
      meaning: "Work waits for a person.",
      runbook: "dlq-not-empty",
      metric: "ApproximateNumberOfMessagesVisible",
      dimension: dead,
      threshold: 0,
    },
    {
      ...of_queue,
      name: `${name}-queue-age`,
      meaning: "Messages come faster than they are worked on, or nobody works on them.",
      runbook: "queue-age",
      metric: "ApproximateAgeOfOldestMessage",
      dimension: queue,
      periods: 5,
      threshold: Math.max(QUEUE_AGE_SECONDS_MIN, TIMEOUT_FACTOR * Number(timeout)),
    },
  ];
}

function functionWatches(name: string, function_name: string, { events = [] }: FunctionDeclaration): Watch[] {
  const of_function = {
    namespace: "AWS/Lambda",
    dimension: { Name: "FunctionName", Value: function_name },
    statistic: "Sum",
    period_seconds: FIVE_MINUTES,
    threshold: 0,
  } as const;
  const watches: Watch[] = [
    {
      ...of_function,
      name: `${name}-errors`,
      meaning: "Invocations end in an error or a timeout; failures of work do not count here.",
      runbook: "function-errors",
      metric: "Errors",
      periods: 2,
    },
    {
      ...of_function,
      name: `${name}-throttles`,
      meaning: "Invocations are refused for want of concurrency.",
      runbook: "function-throttled",
      metric: "Throttles",
      periods: 3,
    },
  ];
  if (!events.some((event) => (event as { schedule?: unknown }).schedule !== undefined)) return watches;
  const silent: Watch = {
    ...of_function,
    name: `${name}-silent`,
    meaning: "A scheduled function does not run.",
    runbook: "schedule-silent",
    metric: "Invocations",
    threshold: 1,
    periods: 2,
    comparison: "LessThanThreshold",
    missing: "breaching",
  };
  return [...watches, silent];
}

function sharedWatches(): Watch[] {
  const throttled = (metric: string, name: string): Watch => ({
    name,
    meaning: "The table refuses requests.",
    runbook: "table-throttled",
    namespace: "AWS/DynamoDB",
    metric,
    dimension: { Name: "TableName", Value: { Ref: "Table" } },
    statistic: "Sum",
    period_seconds: FIVE_MINUTES,
    periods: 2,
    threshold: 0,
  });
  return [
    {
      name: "api-5xx",
      meaning: "Requests are answered with 5xx.",
      runbook: "api-errors",
      namespace: "AWS/ApiGateway",
      metric: "5xx",
      dimension: { Name: "ApiId", Value: { Ref: "HttpApi" } },
      statistic: "Sum",
      period_seconds: FIVE_MINUTES,
      threshold: 5,
    },
    throttled("ReadThrottleEvents", "table-reads-throttled"),
    throttled("WriteThrottleEvents", "table-writes-throttled"),
  ];
}

function alarm(watch: Watch, prefix: string) {
  const { name, meaning, runbook, periods = 1 } = watch;
  return {
    Type: "AWS::CloudWatch::Alarm",
    Properties: {
      AlarmName: `${prefix}-${name}`,
      AlarmDescription: `${meaning} Runbook: docs/runbooks/${runbook}.md`,
      AlarmActions: [{ Ref: "AlarmTopic" }],
      OKActions: [{ Ref: "AlarmTopic" }],
      Namespace: watch.namespace,
      MetricName: watch.metric,
      Dimensions: [watch.dimension],
      Statistic: watch.statistic,
      Period: watch.period_seconds,
      EvaluationPeriods: periods,
      Threshold: watch.threshold,
      ComparisonOperator: watch.comparison ?? "GreaterThanThreshold",
      TreatMissingData: watch.missing ?? "notBreaching",
    },
  };
}
