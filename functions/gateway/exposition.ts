import { Registry } from "prom-client";
import { COUNTERS, GAUGES, HISTOGRAMS, type TimedMetric } from "#lib/platform/metrics/catalogue.ts";
import type { HistogramSample, Sample } from "#lib/platform/metrics/series.ts";

/** Series as they are exposed; every family of the catalogue that has one. */
export interface ExposedSeries {
  counters: readonly Sample[];
  histograms: readonly HistogramSample[];
  gauges: readonly Sample[];
}

interface Value {
  labels: Record<string, string>;
  value: number;
  metricName?: string;
}

export type ExpositionFormat = "prometheus" | "openmetrics";

/**
 * The format that an `Accept` header asks for: OpenMetrics when it is named with a quality no lower than that of plain text, else
 * Prometheus text. https://www.rfc-editor.org/rfc/rfc9110#name-accept
 */
export function formatFor(accept: string | undefined): ExpositionFormat {
  const qualityOf = (wanted: RegExp) =>
    Math.max(
      0,
      ...(accept ?? "").split(",").map((part) => {
        const [type = "", ...parameters] = part.split(";").map((text) => text.trim().toLowerCase());
        if (!wanted.test(type)) return 0;
        const given = parameters.find((parameter) => parameter.startsWith("q="))?.slice(2);
        const quality = given === undefined ? 1 : Number(given);
        return quality >= 0 && quality <= 1 ? quality : 0;
      }),
    );
  const open_metrics = qualityOf(/^application\/openmetrics-text$/);
  return open_metrics > 0 && open_metrics >= qualityOf(/^text\/plain$/) ? "openmetrics" : "prometheus";
}

/** Series as text, and its content type. The encoder is prom-client's; the values are ours. */
export async function expose(
  series: ExposedSeries,
  format: ExpositionFormat,
): Promise<{ text: string; content_type: string }> {
  const content_type =
    format === "openmetrics" ? Registry.OPENMETRICS_CONTENT_TYPE : Registry.PROMETHEUS_CONTENT_TYPE;
  const registry = new Registry();
  registry.setContentType(content_type as never);
  const add = (name: string, help: string, type: "counter" | "gauge" | "histogram", values: Value[]) => {
    if (values.length === 0) return;
    // prom-client takes `_total` off a counter's name for OpenMetrics, by assigning `name`.
    const metric = { name, type, get: async () => ({ name: metric.name, help, type, values }) };
    registry.registerMetric(metric as never);
  };
  for (const [name, { help }] of Object.entries(COUNTERS))
    add(name, help, "counter", valuesOf(series.counters, name));
  for (const metric of Object.keys(HISTOGRAMS) as TimedMetric[]) {
    const { name, help } = HISTOGRAMS[metric];
    add(
      name,
      help,
      "histogram",
      series.histograms.filter((each) => each.name === name).flatMap(histogramValues),
    );
  }
  for (const [name, { help }] of Object.entries(GAUGES))
    add(name, help, "gauge", valuesOf(series.gauges, name));
  return { text: await registry.metrics(), content_type };
}

function valuesOf(samples: readonly Sample[], name: string): Value[] {
  return samples.filter((sample) => sample.name === name).map(({ labels, value }) => ({ labels, value }));
}

function histogramValues({ name, labels, buckets, count, sum_seconds }: HistogramSample): Value[] {
  const bucket = (le: string, value: number) => ({
    metricName: `${name}_bucket`,
    labels: { ...labels, le },
    value,
  });
  return [
    ...buckets.map(({ le_seconds, count: below }) => bucket(String(le_seconds), below)),
    bucket("+Inf", count),
    { metricName: `${name}_sum`, labels, value: sum_seconds },
    { metricName: `${name}_count`, labels, value: count },
  ];
}
