import type { SpanView, TraceView } from "#schemas/http/trace-view.ts";
import { count, formatDuration } from "./format.ts";
import type { Paint } from "./paint.ts";

const BAR_CHARACTERS = 30;
const LABEL_CHARACTERS = 34;

interface Row {
  span: SpanView;
  depth: number;
}

/**
 * A trace as lines, one a span: its name indented below what it is part of, when it began, how long
 * it took, and a bar. Each message is caused by the one before, so hops stand one below the other
 * instead of ever further to the right.
 */
export function waterfall(trace: TraceView, paint: Paint): string[] {
  const { critical_path, duration_ms, span_count, trace_id } = trace;
  const lines = rows(trace.root).map((row) => line(row, Math.max(1, duration_ms), paint));
  const parts = Object.entries({
    work: critical_path.work_ms,
    queues: critical_path.queue_ms,
    retries: critical_path.retry_ms,
    idle: critical_path.idle_ms,
  }).filter(([name, ms]) => ms > 0 || name === "work");
  const path = parts.map(([name, ms]) => `${name} ${formatDuration(ms)}`).join(", ");
  return [
    `${paint.bold(formatDuration(duration_ms))}  ${path}  ${paint.dim(`(${count(span_count, "span")}, trace ${trace_id})`)}`,
    ...(trace.sampled
      ? []
      : [paint.yellow("The submission asked for nothing to be recorded (traceparent flags 00).")]),
    ...(trace.left_out
      ? [paint.yellow(`${trace.left_out} spans found no room on the task's writes; a collector has them.`)]
      : []),
    ...(trace.truncated ? [paint.yellow("There are more spans than are shown.")] : []),
    ...lines,
  ];
}

/** Depth first; a message that was received begins at the left again. */
function rows(root: SpanView): Row[] {
  const hops: Row[] = [{ span: root, depth: 0 }];
  const all: Row[] = [];
  for (let hop = hops.shift(); hop; hop = hops.shift()) {
    const open: Row[] = [hop];
    const next: Row[] = [];
    for (let row = open.pop(); row; row = open.pop()) {
      all.push(row);
      const { depth, span } = row;
      const [received, inside] = partition(span.children, ({ kind }) => kind === "consumer");
      next.push(...received.map((child) => ({ span: child, depth: 1 })));
      open.push(...inside.toReversed().map((child) => ({ span: child, depth: depth + 1 })));
    }
    hops.push(...next);
    hops.sort((a, b) => a.span.offset_ms - b.span.offset_ms);
  }
  return all;
}

function partition<Item>(items: readonly Item[], belongs: (item: Item) => boolean): [Item[], Item[]] {
  return [items.filter(belongs), items.filter((item) => !belongs(item))];
}

function line({ span, depth }: Row, total_ms: number, paint: Paint): string {
  const label = `${"  ".repeat(depth)}${span.name}`;
  const padded = label.length > LABEL_CHARACTERS ? `${label.slice(0, LABEL_CHARACTERS - 1)}…` : label;
  const failed = span.status.code === "error";
  const name = padded.padEnd(LABEL_CHARACTERS);
  const times = `${formatDuration(span.offset_ms).padStart(10)} ${formatDuration(span.duration_ms).padStart(10)}`;
  const words = remarks(span).join("  ");
  return `${failed ? paint.red(name) : name} ${paint.dim(times)}  ${bar(span, total_ms, paint)}  ${failed ? paint.red(words) : paint.dim(words)}`.trimEnd();
}

function bar(span: SpanView, total_ms: number, paint: Paint): string {
  const scale = (ms: number) => Math.round((ms / total_ms) * BAR_CHARACTERS);
  const from = Math.min(BAR_CHARACTERS - 1, scale(span.offset_ms));
  const length = Math.min(BAR_CHARACTERS - from, Math.max(1, scale(span.duration_ms)));
  const drawn = (span.duration_ms > 0 ? "█" : "▏").repeat(length);
  const colour = span.status.code === "error" ? paint.red : paint.cyan;
  return `${" ".repeat(from)}${colour(drawn)}${" ".repeat(BAR_CHARACTERS - from - length)}`;
}

const TOLD = ["agents.outcome", "agents.decision", "agents.claim", "agents.verdict", "agents.nudge.reason"];

function remarks({ status, attributes, kind, lost, parent_lost, service }: SpanView): string[] {
  const told = TOLD.flatMap((name) => (attributes[name] === undefined ? [] : [String(attributes[name])]));
  const attempt = Number(attributes["agents.attempt"] ?? 1);
  const wait_ms = attributes["agents.queue.wait_ms"];
  return [
    String(status.error_code ?? attributes["error.type"] ?? ""),
    ...new Set(told),
    attempt > 1 ? `attempt ${attempt}` : "",
    kind === "consumer" && typeof wait_ms === "number" ? `waited ${formatDuration(wait_ms)}` : "",
    lost ? "not recorded" : "",
    parent_lost ? `sender not recorded (${service})` : "",
  ].filter((part) => part !== "");
}
