import { instant } from "#lib/platform/runtime/runtime.ts";
import { buildTree, type TreeSpan } from "#lib/platform/trace/build-tree.ts";
import { criticalPath } from "#lib/platform/trace/critical-path.ts";
import type { KeptSpan } from "#lib/platform/trace/task-spans.ts";
import { taskTrace } from "#lib/platform/trace/task-trace.ts";
import type { SpanView, TraceView } from "#schemas/http/trace-view.ts";
import type { TaskRecord } from "#schemas/records/task.ts";

/** Deeper or larger trees serve nobody; what is beyond is left out and `truncated` says so. */
const SPANS_SHOWN_MAX = 2000;

/** A task's trace as the API shows it. */
export function traceView(task: TaskRecord, kept: KeptSpan[], truncated: boolean): TraceView {
  const { trace_id, span_id, sampled } = taskTrace(task);
  const spans = kept.filter((span) => span.trace_id === trace_id);
  const shown = spans.toSorted((a, b) => a.start_ms - b.start_ms).slice(0, SPANS_SHOWN_MAX);
  const started_ms = Date.parse(task.created_at);
  const tree = buildTree({ trace_id, span_id, started_ms }, shown);
  const path = criticalPath(tree);
  return {
    task_id: task.task_id,
    trace_id,
    sampled,
    started_at: instant(tree.start_ms),
    duration_ms: path.total_ms,
    span_count: spans.length,
    truncated: truncated || spans.length > shown.length,
    critical_path: path,
    root: spanView(tree, tree.start_ms),
  };
}

function spanView(node: TreeSpan, zero_ms: number): SpanView {
  const { span, start_ms, end_ms, clock_skew_ms, lost, parent_lost, children } = node;
  return {
    span_id: span.span_id,
    ...(span.parent_span_id && { parent_span_id: span.parent_span_id }),
    name: span.name,
    kind: span.kind,
    service: span.service,
    started_at: instant(start_ms),
    offset_ms: Math.max(0, start_ms - zero_ms),
    duration_ms: end_ms - start_ms,
    status: span.status,
    attributes: span.attributes,
    ...(span.links && { links: span.links }),
    ...(lost && { lost }),
    ...(parent_lost && { parent_lost }),
    ...(clock_skew_ms > 0 && { clock_skew_ms }),
    children: children.map((child) => spanView(child, zero_ms)),
  };
}
