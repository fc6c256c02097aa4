import {
  BUCKETS_MS,
  COUNTERS,
  EVALUATED_GAUGES,
  GAUGES,
  HISTOGRAMS,
  LABELS,
} from "#lib/platform/metrics/catalogue.ts";
import { code, GENERATED_NOTE, table } from "./markdown.ts";

/** docs/reference/metrics.md */
export function metricsPage(): string {
  const bounds = BUCKETS_MS.map((bound_ms) => String(bound_ms / 1000)).join(", ");
  return `${[
    "# Metrics",
    GENERATED_NOTE,
    `What \`GET /api/metrics\` exposes and \`GET /api/metrics/summary\` tells. The catalogue is [lib/platform/metrics/catalogue.ts](../../lib/platform/metrics/catalogue.ts). Every series has the labels ${LABELS.map(code).join(", ")}; tenant \`_platform\` is of no tenant, \`other\` of all tenants without series of their own (configs/metrics.json). How exact the numbers are, and what they cost: [counts.md](counts.md).`,
    "## Counters",
    "Since ever. The summary names them as in the last column.",
    table(
      ["Metric", "What it counts", "Own label", "In the summary"],
      Object.entries(COUNTERS).map(([name, family]) => {
        const { help, label, sums } = family as {
          help: string;
          label?: string;
          sums: Record<string, string>;
        };
        const named = Object.entries(sums).map(([sum, value]) =>
          label === undefined ? code(sum) : `${code(sum)}: ${value}`,
        );
        return [code(name), help, label === undefined ? "" : code(label), named.join(", ")];
      }),
    ),
    "## Histograms",
    `Buckets up to ${bounds} seconds.`,
    table(
      ["Metric", "What it measures", "In the summary"],
      Object.entries(HISTOGRAMS).map(([metric, { name, help }]) => [code(name), help, code(metric)]),
    ),
    "## Gauges",
    table(
      ["Metric", "What it tells", "Own label", "In alert rules"],
      Object.entries(GAUGES).map(([name, { help, labels }]) => [
        code(name),
        help,
        labels
          .filter((label) => !LABELS.some((common) => common === label))
          .map(code)
          .join(", "),
        EVALUATED_GAUGES.some((gauge) => gauge === name) ? "yes" : "",
      ]),
    ),
  ].join("\n\n")}\n`;
}
