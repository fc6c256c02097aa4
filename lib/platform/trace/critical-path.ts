import type { TreeSpan } from "#lib/platform/trace/build-tree.ts";
import type { CriticalPath } from "#schemas/http/trace-view.ts";

/**
 * Where the time went from the root's start to the end of the span that ended last: along the chain
 * of spans from the one to the other, each moment counts for exactly one of the four parts.
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

/** From the root to the span that ended last; of two the one deeper down, which says more. */
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
