import { existsSync } from "node:fs";
import { resourcesOf, type Template } from "../../../scripts/package/template.ts";
import { idIn, properties, type TemplateRule } from "./rule.ts";

interface Alarm {
  AlarmDescription?: string;
  AlarmActions?: unknown[];
  MetricName?: string;
  Threshold?: number;
  Dimensions?: { Value: unknown }[];
}

const alarmsOf = (template: Template) => resourcesOf<Alarm>(template, "AWS::CloudWatch::Alarm");

/** Whether an alarm watches that metric of a resource, given by logical id or by name. */
function watched(template: Template, metric: string, of: string): Alarm | undefined {
  return alarmsOf(template)
    .map(([, alarm]) => alarm)
    .find(({ MetricName, Dimensions }) => {
      const value = Dimensions?.[0]?.Value;
      return MetricName === metric && (value === of || idIn(value) === of);
    });
}

export const alarmRules: TemplateRule[] = [
  {
    says: "every alarm calls somebody and names a runbook that exists",
    check: (template) =>
      alarmsOf(template).flatMap(([id, { AlarmDescription = "", AlarmActions = [] }]) => {
        const [runbook] = /docs\/runbooks\/[\w-]+\.md/.exec(AlarmDescription) ?? [];
        const calls = AlarmActions.some(
          (action) => template.Resources[idIn(action) ?? ""]?.Type === "AWS::SNS::Topic",
        );
        return runbook && existsSync(runbook) && calls ? [] : [id];
      }),
    mutations: {
      "a runbook nobody wrote": (template) => {
        properties(template, "Api5xxAlarm").AlarmDescription = "Runbook: docs/runbooks/unwritten.md";
      },
      "nobody is called": (template) => {
        properties(template, "Api5xxAlarm").AlarmActions = [];
      },
    },
  },
  {
    says: "one message in any DLQ raises an alarm, and so does an old one in any queue",
    check: (template) =>
      resourcesOf(template, "AWS::SQS::Queue").flatMap(([id, { RedrivePolicy }]) => {
        const metric = RedrivePolicy ? "ApproximateAgeOfOldestMessage" : "ApproximateNumberOfMessagesVisible";
        const alarm = watched(template, metric, id);
        if (!alarm) return [`${id} is not watched`];
        return RedrivePolicy || alarm.Threshold === 0 ? [] : [`${id} may hold ${alarm.Threshold}`];
      }),
    mutations: {
      "no alarm": (template) => delete template.Resources.CodegenDlqNotEmptyAlarm,
      "only from two": (template) => {
        properties(template, "CodegenDlqNotEmptyAlarm").Threshold = 1;
      },
      "age is not watched": (template) => delete template.Resources.CodegenQueueAgeAlarm,
    },
  },
  {
    says: "errors and throttles of every function are watched, and so are the schedule, the API and the table",
    check: (template) => [
      ...resourcesOf(template, "AWS::Lambda::Function").flatMap(([id, { FunctionName }]) =>
        ["Errors", "Throttles"].flatMap((metric) =>
          watched(template, metric, String(FunctionName)) ? [] : [`${metric} of ${id}`],
        ),
      ),
      ...resourcesOf(template, "AWS::Events::Rule").flatMap(([id, { Targets }]) => {
        const target = idIn((Targets as { Arn: unknown }[])[0]?.Arn) ?? "";
        return watched(template, "Invocations", String(properties(template, target).FunctionName))
          ? []
          : [id];
      }),
      ...(watched(template, "5xx", "HttpApi") ? [] : ["5xx of the API"]),
      ...["ReadThrottleEvents", "WriteThrottleEvents"].filter(
        (metric) => !watched(template, metric, "Table"),
      ),
    ],
    mutations: {
      "errors are not watched": (template) => delete template.Resources.AuthorizerErrorsAlarm,
      "a silent schedule": (template) => delete template.Resources.SweeperSilentAlarm,
      "the table is not watched": (template) => delete template.Resources.TableWritesThrottledAlarm,
    },
  },
];
