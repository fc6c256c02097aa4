import type { Figures } from "./figures.ts";

type Row = [name: string, show: (figures: Figures) => string];

const one = (value: number) => value.toFixed(1);
const two = (value: number) => value.toFixed(2);
const seconds = (value: number | null) => (value === null ? "never" : `${Math.round(value)} s`);

const ROWS: Row[] = [
  ["tasks", ({ tasks }) => `${tasks}`],
  ["done", ({ done }) => `${done}`],
  ["dead-lettered", ({ dead_lettered }) => `${dead_lettered}`],
  ["failed", ({ failed }) => `${failed}`],
  ["lost", ({ lost }) => `${lost}`],
  ["unfinished an hour later", ({ unfinished }) => `${unfinished}`],
  ["invariants broken", ({ violations }) => (violations ? `${violations.length}` : "")],
  ["calls", ({ calls }) => `${calls}`],
  ["calls per success possible", ({ amplification }) => two(amplification)],
  ["… during the outage", ({ amplification_outage }) => two(amplification_outage)],
  ["busiest 5 s of the outage, × arrivals", ({ outage_peak }) => two(outage_peak)],
  ["probes at once, at most", ({ probes_at_once_max }) => `${probes_at_once_max}`],
  ["back at 95 % after", ({ recovery_seconds }) => seconds(recovery_seconds)],
  ["backlog gone after", ({ drained_seconds }) => seconds(drained_seconds)],
  ["herd: busiest 1 s after, × arrivals", ({ herd }) => two(herd.calls_1s)],
  ["herd: busiest 5 s after", ({ herd }) => two(herd.calls_5s)],
  ["… of repeated calls, 1 s", ({ herd }) => two(herd.again_1s)],
  ["… of repeated calls, 5 s", ({ herd }) => two(herd.again_5s)],
  [
    "before the outage: busiest 1 s, 5 s",
    ({ steady_peak }) => `${two(steady_peak.calls_1s)}, ${two(steady_peak.calls_5s)}`,
  ],
  ["latency: median", ({ latency_seconds }) => `${one(latency_seconds.median)} s`],
  ["latency: p99", ({ latency_seconds }) => `${Math.round(latency_seconds.p99)} s`],
  ["… of the large tenant", ({ latency_p99_by_tenant }) => seconds(latency_p99_by_tenant.large ?? null)],
  ["… of the small tenant", ({ latency_p99_by_tenant }) => seconds(latency_p99_by_tenant.small ?? null)],
  [
    "writes an environment and window, when well",
    ({ healthy_writes_per_window: writes }) => (writes === null ? "none" : two(writes)),
  ],
];

/** A table with a column for each variant. */
export function table(results: { variant: string; figures: Figures }[]): string {
  const head = ["", ...results.map(({ variant }) => variant)];
  const lines = [head, ...ROWS.map(([name, show]) => [name, ...results.map(({ figures }) => show(figures))])];
  const widths = head.map((_, column) => Math.max(...lines.map((line) => (line[column] ?? "").length)));
  return lines
    .map((line) =>
      line
        .map((cell, column) =>
          column === 0 ? cell.padEnd(widths[0] ?? 0) : cell.padStart(widths[column] ?? 0),
        )
        .join("  ")
        .trimEnd(),
    )
    .join("\n");
}
