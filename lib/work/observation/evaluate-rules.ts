import { HISTOGRAMS, type TimedMetric } from "#lib/platform/metrics/catalogue.ts";
import { addedUp, type CountRow, type MinuteRow } from "#lib/platform/metrics/count-store.ts";
import { minuteOf } from "#lib/platform/metrics/count-windows.ts";
import { counterSamples, histogramSamples, quantileOf, type Sample } from "#lib/platform/metrics/series.ts";
import type { AlertExpression, AlertRule } from "#schemas/config/alerts.ts";

/** What rules are evaluated on. */
export interface Readings {
  now_ms: number;
  /** Counts of the last hour, by minute, with tenants folded. */
  minutes: readonly MinuteRow[];
  gauges: readonly Sample[];
}

/** What one rule says of one set of labels. */
export interface Measured {
  labels: Record<string, string>;
  value: number;
  /** The value is beyond the threshold. */
  breached: boolean;
}

/** Evaluates one rule: a measure for each set of labels that has any series. */
export function evaluateRule(
  { expression, comparison, threshold }: AlertRule,
  readings: Readings,
): Measured[] {
  return [...valuesOf(expression, readings).values()].map(({ labels, value }) => ({
    labels,
    value,
    breached: comparison === "above" ? value > threshold : value < threshold,
  }));
}

type Values = Map<string, { labels: Record<string, string>; value: number }>;

function valuesOf(expression: AlertExpression, readings: Readings): Values {
  const { by } = expression;
  switch (expression.kind) {
    case "gauge": {
      const join = expression.aggregate === "max" ? Math.max : (a: number, b: number) => a + b;
      return grouped(selected(readings.gauges, expression), by, join);
    }
    case "increase":
      return increases(expression, expression, readings);
    case "ratio": {
      const parts = increases(expression, expression, readings);
      const wholes = increases({ ...expression.of, by }, expression, readings);
      const ratios: Values = new Map();
      for (const [key, { labels, value: whole }] of wholes) {
        if (whole < expression.of_min) continue;
        ratios.set(key, { labels, value: (parts.get(key)?.value ?? 0) / whole });
      }
      return ratios;
    }
    case "quantile":
      return quantiles(expression, readings);
  }
}

interface Selection {
  metric: string;
  labels?: Record<string, string> | undefined;
}

function selected(samples: readonly Sample[], { metric, labels = {} }: Selection): Sample[] {
  return samples.filter(
    (sample) =>
      sample.name === metric &&
      Object.entries(labels).every(([name, value]) => sample.labels[name] === value),
  );
}

function grouped(
  samples: readonly Sample[],
  by: readonly string[],
  join: (a: number, b: number) => number,
): Values {
  const values: Values = new Map();
  for (const sample of samples) {
    const labels = Object.fromEntries(by.map((name) => [name, sample.labels[name] ?? ""]));
    const key = JSON.stringify(labels);
    const known = values.get(key);
    values.set(key, { labels, value: known ? join(known.value, sample.value) : sample.value });
  }
  return values;
}

function rowsOf({ window_seconds }: { window_seconds: number }, { minutes, now_ms }: Readings): CountRow[] {
  const from = minuteOf(now_ms - window_seconds * 1000);
  return addedUp(minutes.filter(({ minute }) => minute >= from));
}

function increases(
  selection: Selection & { by: readonly string[] },
  window: { window_seconds: number },
  readings: Readings,
): Values {
  const samples = selected(counterSamples(rowsOf(window, readings)), selection);
  return grouped(samples, selection.by, (a, b) => a + b);
}

function quantiles(expression: Extract<AlertExpression, { kind: "quantile" }>, readings: Readings): Values {
  const metric = (Object.keys(HISTOGRAMS) as TimedMetric[]).find(
    (each) => HISTOGRAMS[each].name === expression.metric,
  );
  if (metric === undefined) return new Map();
  // Rows that fall together are added up before the quantile is taken.
  const rows = rowsOf(expression, readings)
    .filter((row) => {
      const { service, role, shard, tenant } = row;
      const own: Record<string, string> = { service, role, shard, tenant };
      return Object.entries(expression.labels ?? {}).every(([name, value]) => own[name] === value);
    })
    .map((row) => {
      const kept = (name: "service" | "role" | "shard" | "tenant") =>
        expression.by.includes(name) ? row[name] : "";
      const labels = {
        service: kept("service"),
        role: kept("role"),
        shard: kept("shard"),
        tenant: kept("tenant"),
      };
      return { ...row, ...labels };
    });
  const values: Values = new Map();
  for (const sample of histogramSamples(addedUp(rows)).filter(({ name }) => name === expression.metric)) {
    const labels = Object.fromEntries(expression.by.map((name) => [name, sample.labels[name] ?? ""]));
    values.set(JSON.stringify(labels), { labels, value: quantileOf(sample, expression.quantile) });
  }
  return values;
}
