import type { Figures } from "./figures.ts";

interface Row {
  name: string;
  /** Null: there is no such figure; Infinity: it never came. */
  value(figures: Figures): number | null;
  show(value: number): string;
  /** Fewer are worse. */
  fewer_are_worse?: boolean;
}

const whole = (value: number) => `${value}`;
const one = (value: number) => value.toFixed(1);
const two = (value: number) => value.toFixed(2);
const seconds = (value: number) => (value === Number.POSITIVE_INFINITY ? "never" : `${Math.round(value)} s`);
const orNever = (value: number | null) => value ?? Number.POSITIVE_INFINITY;

const row = (name: string, value: Row["value"], show: Row["show"]): Row => ({ name, value, show });

const ROWS: Row[] = [
  row("tasks", ({ tasks }) => tasks, whole),
  { ...row("done", ({ done }) => done, whole), fewer_are_worse: true },
  row("dead-lettered", ({ dead_lettered }) => dead_lettered, whole),
  row("failed", ({ failed }) => failed, whole),
  row("lost", ({ lost }) => lost, whole),
  row("unfinished an hour later", ({ unfinished }) => unfinished, whole),
  row("invariants broken", ({ violations }) => violations?.length ?? null, whole),
  row("calls", ({ calls }) => calls, whole),
  row("calls per success possible", ({ amplification }) => amplification, two),
  row("… during the outage", ({ amplification_outage }) => amplification_outage, two),
  row("busiest 5 s of the outage, × arrivals", ({ outage_peak }) => outage_peak, two),
  row("probes at once, at most", ({ probes_at_once_max }) => probes_at_once_max, whole),
  row("back at 95 % after", ({ recovery_seconds }) => orNever(recovery_seconds), seconds),
  row("backlog gone after", ({ drained_seconds }) => orNever(drained_seconds), seconds),
  row("herd: busiest 1 s after, × arrivals", ({ herd }) => herd.calls_1s, two),
  row("herd: busiest 5 s after", ({ herd }) => herd.calls_5s, two),
  row("herd: busiest 20 s after", ({ herd }) => herd.calls_20s, two),
  row("… of repeated calls, 1 s", ({ herd }) => herd.again_1s, two),
  row("… of repeated calls, 5 s", ({ herd }) => herd.again_5s, two),
  row("before the outage: busiest 1 s", ({ steady_peak }) => steady_peak.calls_1s, two),
  row("before the outage: busiest 5 s", ({ steady_peak }) => steady_peak.calls_5s, two),
  row(
    "latency: median",
    ({ latency_seconds }) => latency_seconds.median,
    (value) => `${one(value)} s`,
  ),
  row("latency: p99", ({ latency_seconds }) => latency_seconds.p99, seconds),
  row(
    "… of the large tenant",
    ({ latency_p99_by_tenant }) => orNever(latency_p99_by_tenant.large ?? null),
    seconds,
  ),
  row(
    "… of the small tenant",
    ({ latency_p99_by_tenant }) => orNever(latency_p99_by_tenant.small ?? null),
    seconds,
  ),
  row(
    "writes an environment and window, when well",
    ({ healthy_writes_per_window }) => healthy_writes_per_window,
    two,
  ),
];

/** A column for each variant; with several seeds the median of each figure, and the worst when that is another. */
export function table(results: { variant: string; figures: Figures[] }[]): string {
  const head = ["", ...results.map(({ variant }) => variant)];
  const lines = [head, ...ROWS.map((one) => [one.name, ...results.map(({ figures }) => cell(one, figures))])];
  const widths = head.map((_, column) => Math.max(...lines.map((line) => (line[column] ?? "").length)));
  return lines
    .map((line) =>
      line
        .map((text, column) =>
          column === 0 ? text.padEnd(widths[0] ?? 0) : text.padStart(widths[column] ?? 0),
        )
        .join("  ")
        .trimEnd(),
    )
    .join("\n");
}

function cell({ value, show, fewer_are_worse }: Row, figures: Figures[]): string {
  const values = figures.map(value).filter((one) => one !== null);
  if (values.length === 0) return "none";
  values.sort((a, b) => a - b);
  const median = show(values[Math.floor((values.length - 1) / 2)] as number);
  const worst = show(values.at(fewer_are_worse ? 0 : -1) as number);
  return median === worst ? median : `${median} (${worst})`;
}
