import { COUNTERS, HISTOGRAMS, LABELS, type TimedMetric } from "#lib/platform/metrics/catalogue.ts";
import { embeddedNamespace } from "#lib/platform/metrics/report-metrics.ts";
import type { ServiceDeclaration } from "./expand-agents.ts";

/*
 * The CloudWatch dashboard of a deployed stage, from the catalogue of metrics.
 * https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/CloudWatch-Dashboard-Body-Structure.html
 */

const COLUMNS = 3;
const WIDTH = 8;
const HEIGHT = 6;
const PERIOD_SECONDS = 300;

type MetricLine = unknown[];

interface Widget {
  title: string;
  metrics: MetricLine[];
  stat?: "Maximum";
}

/** Declares the dashboard: every counter and duration of the catalogue, and AWS's own numbers of each queue. */
export function addDashboard(service: ServiceDeclaration): void {
  const prefix = `${service.service}-${service.provider.stage}`;
  const namespace = embeddedNamespace(service.provider.stage ?? "");
  const agents = Object.keys(service.functions).filter((name) => service.functions[name]?.agent);
  const widgets = [
    ...queueWidgets(prefix, agents),
    ...counterWidgets(namespace),
    ...durationWidgets(namespace),
  ].map((widget, index) => placed(widget, index));
  const declared = service.resources?.Resources ?? {};
  declared.Dashboard = {
    Type: "AWS::CloudWatch::Dashboard",
    Properties: {
      DashboardName: prefix,
      DashboardBody: { "Fn::Sub": JSON.stringify({ widgets }) },
    },
  };
  service.resources = { ...service.resources, Resources: declared };
}

function placed({ title, metrics, stat }: Widget, index: number) {
  return {
    type: "metric",
    x: (index % COLUMNS) * WIDTH,
    y: Math.floor(index / COLUMNS) * HEIGHT,
    width: WIDTH,
    height: HEIGHT,
    properties: {
      title,
      metrics,
      view: "timeSeries",
      region: "$" + "{AWS::Region}",
      period: PERIOD_SECONDS,
      ...(stat && { stat }),
      yAxis: { left: { min: 0 } },
    },
  };
}

/** The sum of one name over all labels: https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/search-expression-syntax.html */
function sumOf(namespace: string, sum: string): string {
  return `SUM(SEARCH('{${[namespace, ...LABELS].join(",")}} MetricName="${sum}"', 'Sum', ${PERIOD_SECONDS}))`;
}

const lineOf = (expression: string, label: string, id: string): MetricLine => [{ expression, label, id }];

function counterWidgets(namespace: string): Widget[] {
  return Object.entries(COUNTERS).map(([name, { sums }]) => ({
    title: name,
    metrics: Object.entries(sums).map(([sum, value]) =>
      lineOf(sumOf(namespace, sum), value || sum, `e_${sum}`),
    ),
  }));
}

/** CloudWatch has a duration's sum and count, so the average; quantiles are told by GET /api/metrics/summary. */
function durationWidgets(namespace: string): Widget[] {
  return (Object.keys(HISTOGRAMS) as TimedMetric[]).map((metric) => {
    const total = sumOf(namespace, `${metric}_ms_sum`);
    const count = sumOf(namespace, `${metric}_count`);
    return {
      title: `${HISTOGRAMS[metric].name}, on average`,
      metrics: [lineOf(`${total} / ${count} / 1000`, "seconds", `e_${metric}`)],
    };
  });
}

/** https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-available-cloudwatch-metrics.html */
function queueWidgets(prefix: string, agents: readonly string[]): Widget[] {
  const of = (title: string, metric: string, end = ""): Widget => ({
    title,
    stat: "Maximum",
    metrics: agents.map((name) => [
      "AWS/SQS",
      metric,
      "QueueName",
      `${prefix}-${name}${end}`,
      { label: name },
    ]),
  });
  return [
    of("Messages that wait", "ApproximateNumberOfMessagesVisible"),
    of("Age of the oldest message, seconds", "ApproximateAgeOfOldestMessage"),
    of("Dead letters", "ApproximateNumberOfMessagesVisible", "-dlq"),
  ];
}
