import { instant } from "#lib/platform/runtime/runtime.ts";
import type { KeptSpan, TaskSpans } from "#lib/platform/trace/task-spans.ts";
import { taskTrace } from "#lib/platform/trace/traceparent.ts";
import type { CriticalPath, SpanView, TraceView } from "#schemas/http/trace-view.ts";
import type { TaskRecord } from "#schemas/records/task.ts";

/** A span as a node of the tree, with times corrected to the root's clock. */
export interface TreeSpan {
  span: KeptSpan;
  start_ms: number;
  end_ms: number;
  clock_skew_ms: number;
  /** The span was not recorded. This node stands for the request that created the task. */
  lost: boolean;
  parent_lost: boolean;
  children: TreeSpan[];
}

/** The root span as the task record describes it. */
export interface TraceRoot {
  trace_id: string;
  span_id: string;
  started_ms: number;
}

/**
 * Builds one tree of all spans of a trace. A span whose parent is missing becomes a child of its grandparent, if the
 * message named one, otherwise of the root. A missing root is replaced by a stand-in. A span that starts before its
 * parent, by another machine's clock, is shifted to its parent's start.
 */
export function buildTree(root: TraceRoot, kept: readonly KeptSpan[]): TreeSpan {
  const by_id = new Map<string, KeptSpan>();
  for (const span of kept) {
    if (span.trace_id === root.trace_id && !by_id.has(span.span_id)) by_id.set(span.span_id, span);
  }
  const top = by_id.get(root.span_id);
  const top_span = top ?? standIn(root);
  by_id.delete(root.span_id);
  const { children, lost_parents } = childrenByParent(top_span, by_id);
  const placed = new Set<string>();

  const place = (span: KeptSpan, parent: TreeSpan | undefined): TreeSpan => {
    const same_clock = parent?.span.invocation === span.invocation;
    const behind_ms = parent ? Math.max(0, parent.start_ms - span.start_ms) : 0;
    const clock_skew_ms = same_clock ? (parent?.clock_skew_ms ?? 0) : behind_ms;
    const node: TreeSpan = {
      span,
      start_ms: span.start_ms + clock_skew_ms,
      end_ms: span.end_ms + clock_skew_ms,
      clock_skew_ms,
      lost: false,
      parent_lost: lost_parents.has(span.span_id),
      children: [],
    };
    placed.add(span.span_id);
    return node;
  };

  const tree: TreeSpan = { ...place(top_span, undefined), lost: top === undefined };
  const grow = (from: TreeSpan) => {
    const open = [from];
    for (let node = open.pop(); node; node = open.pop()) {
      for (const child of children.get(node.span.span_id) ?? []) {
        if (placed.has(child.span_id)) continue;
        const below = place(child, node);
        node.children.push(below);
        open.push(below);
      }
      node.children.sort(byStart);
    }
  };
  grow(tree);
  // Spans that name each other as parents are not reachable from the root: each cycle is cut at its first span.
  for (const span of by_id.values()) {
    if (placed.has(span.span_id)) continue;
    const cut = { ...place(span, tree), parent_lost: true };
    tree.children.push(cut);
    grow(cut);
  }
  tree.children.sort(byStart);
  return tree;
}

function byStart(a: TreeSpan, b: TreeSpan): number {
  return a.start_ms - b.start_ms || a.span.span_id.localeCompare(b.span.span_id);
}

function childrenByParent(root: KeptSpan, by_id: ReadonlyMap<string, KeptSpan>) {
  const children = new Map<string, KeptSpan[]>();
  const lost_parents = new Set<string>();
  const exists = (id: string | undefined): id is string =>
    id !== undefined && (id === root.span_id || by_id.has(id));
  for (const span of by_id.values()) {
    const { parent_span_id, grandparent_span_id } = span;
    const known = exists(parent_span_id);
    // The client's own span is not recorded here. A request that the client repeated has the same parent as the first.
    const repeated = parent_span_id !== undefined && parent_span_id === root.parent_span_id;
    if (!known && !repeated) lost_parents.add(span.span_id);
    const below = known ? parent_span_id : exists(grandparent_span_id) ? grandparent_span_id : root.span_id;
    children.set(below, [...(children.get(below) ?? []), span]);
  }
  return { children, lost_parents };
}

function standIn({ trace_id, span_id, started_ms }: TraceRoot): KeptSpan {
  return {
    trace_id,
    span_id,
    service: "gateway",
    name: "POST /api/tasks",
    kind: "server",
    start_ms: started_ms,
    end_ms: started_ms,
    status: { code: "unset" },
    attributes: {},
    invocation: "",
  };
}

/**
 * Divides the time from the root's start to the end of the last span into work, queue, retry and idle time. It
 * follows the chain of spans from the root to the last span and counts each moment once.
 */
export function criticalPath(root: TreeSpan): CriticalPath {
  const path = pathToLast(root);
  const parts = { work_ms: 0, queue_ms: 0, retry_ms: 0, idle_ms: 0 };
  path.forEach((node, index) => {
    const next = path[index + 1];
    const until_ms = Math.max(node.start_ms, next ? next.start_ms : node.end_ms);
    if (node.span.kind === "producer" && next?.span.kind === "consumer") {
      const first_ms = firstDelivery(node, next);
      parts.queue_ms += first_ms - node.start_ms;
      parts.retry_ms += until_ms - first_ms;
      return;
    }
    const worked_until_ms = Math.min(until_ms, Math.max(node.start_ms, node.end_ms));
    parts.work_ms += worked_until_ms - node.start_ms;
    parts.idle_ms += until_ms - worked_until_ms;
  });
  const { work_ms, queue_ms, retry_ms, idle_ms } = parts;
  return { total_ms: work_ms + queue_ms + retry_ms + idle_ms, ...parts };
}

function firstDelivery(message: TreeSpan, delivered: TreeSpan): number {
  const starts = message.children
    .filter(({ span }) => span.kind === "consumer")
    .map(({ start_ms }) => start_ms);
  return Math.max(message.start_ms, Math.min(delivered.start_ms, ...starts));
}

/** The nodes from the root to the span that ended last. */
function pathToLast(root: TreeSpan): TreeSpan[] {
  const parents = new Map<TreeSpan, TreeSpan>();
  let last = root;
  const open = [root];
  for (let node = open.pop(); node; node = open.pop()) {
    if (node.end_ms > last.end_ms) last = node;
    for (const child of node.children) {
      parents.set(child, node);
      open.push(child);
    }
  }
  const path: TreeSpan[] = [];
  for (let node: TreeSpan | undefined = last; node; node = parents.get(node)) path.unshift(node);
  return path;
}

/** Spans beyond this number are left out, and `truncated` is set. */
const SPANS_SHOWN_MAX = 2000;

/** A task's trace as the API shows it. */
export function traceView(task: TaskRecord, { spans: kept, truncated, left_out }: TaskSpans): TraceView {
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
    ...(left_out > 0 && { left_out }),
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
