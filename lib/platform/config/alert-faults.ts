import { COUNTERS, EVALUATED_GAUGES, GAUGES, HISTOGRAMS, LABELS } from "#lib/platform/metrics/catalogue.ts";
import type { AlertExpression, AlertsConfig } from "#schemas/config/alerts.ts";

/** What is wrong with configs/alerts.json beyond its schema, a sentence each. */
export function alertFaults({ rules, sinks }: AlertsConfig): string[] {
  const names = rules.map(({ name }) => name);
  const twice = names.filter((name, index) => names.indexOf(name) !== index);
  return [
    ...twice.map((name) => `/rules: ${name} is there twice`),
    ...rules.flatMap((rule, index) => {
      const path = `/rules/${index}`;
      const unknown = (rule.sinks ?? []).filter((sink) => !Object.hasOwn(sinks, sink));
      return [
        ...unknown.map((sink) => `${path}/sinks names ${sink}, which is not in /sinks`),
        ...expressionFaults(rule.expression).map((fault) => `${path}/expression: ${fault}`),
      ];
    }),
  ];
}

/** Labels that series of a metric have; undefined when the catalogue has no such metric of that kind. */
function labelsOf(kind: AlertExpression["kind"], metric: string): readonly string[] | undefined {
  if (kind === "gauge")
    return Object.hasOwn(GAUGES, metric) ? GAUGES[metric as keyof typeof GAUGES].labels : undefined;
  if (kind === "quantile") {
    return Object.values(HISTOGRAMS).some(({ name }) => name === metric) ? LABELS : undefined;
  }
  if (!Object.hasOwn(COUNTERS, metric)) return undefined;
  const { label } = COUNTERS[metric as keyof typeof COUNTERS] as { label?: string };
  return label === undefined ? LABELS : [...LABELS, label];
}

const KINDS = { gauge: "gauge", quantile: "histogram", increase: "counter", ratio: "counter" } as const;

function expressionFaults(expression: AlertExpression): string[] {
  const { kind, by } = expression;
  const selections = kind === "ratio" ? [expression, expression.of] : [expression];
  return selections.flatMap(({ metric, labels = {} }) => {
    const known = labelsOf(kind, metric);
    if (!known) return [`there is no ${KINDS[kind]} ${metric}; docs/reference/metrics.md lists them`];
    if (kind === "gauge" && !EVALUATED_GAUGES.some((gauge) => gauge === metric))
      return [
        `rules cannot be about ${metric}; of the gauges they may be about ${EVALUATED_GAUGES.join(", ")}`,
      ];
    return [...by, ...Object.keys(labels)]
      .filter((label) => !known.includes(label))
      .map((label) => `${metric} has no label ${label}, it has ${known.join(", ")}`);
  });
}
