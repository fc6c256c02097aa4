import { COUNTERS, GAUGES, HISTOGRAMS } from "#lib/platform/metrics/catalogue.ts";
import type { AlertExpression, AlertRule } from "#schemas/config/alerts.ts";

/** A rule as Prometheus evaluates it, or why it cannot be said there. */
export type PromqlRule = { expr: string } | { unsayable: string };

/** Every scrape has this gauge: where it was there, Prometheus did scrape. */
const ALWAYS_SCRAPED = "agents_tenants_folded";

const METRICS = new Set<string>([
  ...Object.keys(COUNTERS),
  ...Object.keys(GAUGES),
  ...Object.values(HISTOGRAMS).map(({ name }) => name),
]);

/**
 * The condition of a rule in PromQL: it has a value exactly while the rule's condition holds, with the labels of `by`. Its duration
 * stands beside it in the file. https://prometheus.io/docs/prometheus/latest/querying/operators/
 */
export function promqlOf({ expression, comparison, threshold }: AlertRule): PromqlRule {
  const metrics =
    expression.kind === "ratio" ? [expression.metric, expression.of.metric] : [expression.metric];
  const unknown = metrics.find((metric) => !METRICS.has(metric));
  if (unknown !== undefined) return { unsayable: `the catalogue has no metric ${unknown}` };
  if (expression.kind === "quantile" && expression.quantile === 0)
    return { unsayable: "histogram_quantile has no value for quantile 0 while the first bucket is empty" };
  return { expr: `${measureOf(expression)} ${comparison === "above" ? ">" : "<"} ${threshold}` };
}

function measureOf(expression: AlertExpression): string {
  const { by } = expression;
  switch (expression.kind) {
    case "gauge":
      return `${aggregate(expression.aggregate, by)}(${selector(expression)})`;
    case "increase":
      // Without growth there is no value, so that `below` does not fire for what was never counted in the window.
      return `(${growth(expression, by, expression.window_seconds)} > 0)`;
    case "ratio": {
      const part = growth(expression, by, expression.window_seconds);
      const whole = growth(expression.of, by, expression.window_seconds);
      return `(\n${part}\nor\n${whole} * 0\n)\n/\n(${whole} >= ${expression.of_min})`;
    }
    case "quantile": {
      const buckets = { ...expression, metric: `${expression.metric}_bucket` };
      const grown = growth(buckets, ["le", ...by], expression.window_seconds);
      return `histogram_quantile(${expression.quantile}, ${grown})`;
    }
  }
}

interface Selection {
  metric: string;
  labels?: Record<string, string> | undefined;
}

function selector({ metric, labels = {} }: Selection): string {
  const pairs = Object.entries(labels).map(([name, value]) => `${name}="${value}"`);
  return pairs.length === 0 ? metric : `${metric}{${pairs.join(",")}}`;
}

function aggregate(operator: "sum" | "max", by: readonly string[]): string {
  return by.length === 0 ? operator : `${operator} by (${by.join(", ")}) `;
}

/**
 * How much counters grew in the window, added up. `increase()` alone sees nothing of a series whose first sample is the first count,
 * and the platform's counters begin like that. So: the difference to the window's beginning; for a series that was not there, though
 * Prometheus did scrape, all of it; and where Prometheus itself has not run for so long, what it saw.
 */
function growth(selection: Selection, by: readonly string[], window_seconds: number): string {
  const now = selector(selection);
  const window = `${window_seconds}s`;
  return `${aggregate("sum", by)}(
  ${now} - ${now} offset ${window}
  or
  ${now} and on (job, instance) ${ALWAYS_SCRAPED} offset ${window}
  or
  increase(${now}[${window}])
)`;
}
