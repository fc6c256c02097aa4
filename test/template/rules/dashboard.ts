import { COUNTERS, HISTOGRAMS, LABELS } from "#lib/platform/metrics/catalogue.ts";
import { resourcesOf, type Template } from "../../../scripts/package/template.ts";
import { properties, type TemplateRule } from "./rule.ts";

const ID = "Dashboard";

interface Body {
  widgets: { properties: { region: string; metrics: unknown[][] } }[];
}

function bodyOf(template: Template): string {
  return (properties(template, ID).DashboardBody as { "Fn::Sub": string })["Fn::Sub"];
}

function change(template: Template, from: string, to: string): void {
  properties(template, ID).DashboardBody = { "Fn::Sub": bodyOf(template).replaceAll(from, to) };
}

/** Every sum that invocations emit, as lib/platform/metrics/report-metrics.ts does. */
const SUMS = [
  ...Object.values(COUNTERS).flatMap(({ sums }) => Object.keys(sums)),
  ...Object.keys(HISTOGRAMS).flatMap((name) => [`${name}_ms_sum`, `${name}_count`]),
];

export const dashboardRules: TemplateRule[] = [
  {
    says: "the dashboard shows every counter and duration of the catalogue, of this stage alone",
    check: (template) => {
      const { widgets } = JSON.parse(bodyOf(template)) as Body;
      const stage = String(properties(template, ID).DashboardName).replace("distributed-agents-", "");
      const text = JSON.stringify(widgets);
      const search = `{DistributedAgents/${stage},${LABELS.join(",")}} MetricName=`;
      return [
        ...SUMS.filter((sum) => !text.includes(JSON.stringify(`${search}"${sum}"`).slice(1, -1))),
        ...widgets.flatMap(({ properties: { region } }, index) =>
          region === "$" + "{AWS::Region}" ? [] : [`widget ${index} is of ${region}`],
        ),
      ];
    },
    mutations: {
      "a counter is left out": (template) => change(template, "steps_error", "steps_other"),
      "another stage's numbers": (template) =>
        change(template, "DistributedAgents/prod", "DistributedAgents/trial"),
      "a fixed region": (template) => change(template, "$" + "{AWS::Region}", "us-east-1"),
    },
  },
  {
    says: "the dashboard shows what waits in every queue and dead-letter queue",
    check: (template) =>
      resourcesOf(template, "AWS::SQS::Queue").flatMap(([id, { QueueName }]) =>
        bodyOf(template).includes(`"${QueueName}"`) ? [] : [id],
      ),
    mutations: {
      "a queue is left out": (template) => change(template, '-codegen"', '-other"'),
      "a dead-letter queue is left out": (template) => change(template, '-codegen-dlq"', '-other"'),
    },
  },
];
