import type { PackedSpan } from "#lib/platform/trace/pack-spans.ts";

/**
 * One version of each span, with its end. A span that was written before it ended has a version for each write that
 * carried it: the one that ended counts, else the last. What is open still ended no earlier than the spans below it that
 * the same invocation recorded; and a message was sent no later than the queue had it, which its first receiver knows.
 */
export function endedSpans(versions: readonly PackedSpan[]): PackedSpan[] {
  const spans = new Map<string, PackedSpan>();
  for (const span of versions) {
    const other = spans.get(span.span_id);
    if (!other || isLater(span, other)) spans.set(span.span_id, span);
  }
  const ends = new Map<string, number>();
  for (const span of spans.values()) {
    const sent_ms = sentAt(span);
    const sender = span.parent_span_id === undefined ? undefined : spans.get(span.parent_span_id);
    if (sender?.open && sender.kind === "producer" && sent_ms !== undefined) extend(ends, sender, sent_ms);
  }
  for (const span of spans.values())
    extendAncestors(span, ends.get(span.span_id) ?? span.end_ms, spans, ends);
  return [...spans.values()].map(({ open, ...span }) =>
    open ? { ...span, end_ms: ends.get(span.span_id) ?? span.end_ms } : span,
  );
}

function isLater(span: PackedSpan, other: PackedSpan): boolean {
  if (span.open !== other.open) return other.open === true;
  return span.end_ms > other.end_ms;
}

/** When SQS had the message, by its first receiver. */
function sentAt({ kind, start_ms, attributes }: PackedSpan): number | undefined {
  const wait_ms = attributes["agents.queue.wait_ms"];
  return kind === "consumer" && typeof wait_ms === "number" ? start_ms - wait_ms : undefined;
}

function extend(ends: Map<string, number>, { span_id, end_ms }: PackedSpan, to_ms: number): void {
  ends.set(span_id, Math.max(ends.get(span_id) ?? end_ms, to_ms));
}

/** As deep as a trace is; more are cut, for spans may name each other as parents. */
const ANCESTORS_MAX = 64;

function extendAncestors(
  span: PackedSpan,
  end_ms: number,
  spans: ReadonlyMap<string, PackedSpan>,
  ends: Map<string, number>,
): void {
  let { parent_span_id } = span;
  for (let depth = 0; depth < ANCESTORS_MAX && parent_span_id !== undefined; depth += 1) {
    const parent = spans.get(parent_span_id);
    if (parent?.invocation !== span.invocation) return;
    if (parent.open) extend(ends, parent, end_ms);
    parent_span_id = parent.parent_span_id;
  }
}
