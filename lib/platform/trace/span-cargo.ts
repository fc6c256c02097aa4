import { packSpans } from "#lib/platform/trace/pack-spans.ts";
import type { TraceContext } from "#lib/platform/trace/traceparent.ts";
import type { CarriedSpans, SpanRecord } from "#schemas/records/span.ts";

/** Longest pack of one write, in characters; a further span of that invocation goes to the collector only. */
const PACK_MAX = 4_000;
/** Packs of one item, in characters: what its writes carry adds up, and each of them pays for all of it. */
const ITEM_MAX = 12_000;

/** Spans that ride on a write of the ledger. */
export interface SpanCargo {
  /** To be written: what the item has already, and these. */
  carried: CarriedSpans;
  /** The pack that was added; undefined when nothing fits. */
  pack: string | undefined;
  left_out: number;
  /** To be called when the write has taken effect. */
  delivered(): void;
}

/**
 * The spans of `trace`'s message or request so far, to be written with a task or a step: those that have ended, and
 * those that are open with their time until now. Undefined when nothing is recorded.
 */
export function loadSpans(trace: TraceContext | undefined, kept?: CarriedSpans): SpanCargo | undefined {
  if (!trace?.sampled) return undefined;
  const load = trace.recorder?.load?.(trace.trace_id);
  if (!load || load.spans.length === 0) return undefined;
  const { packs = [], left_out: before = 0 } = kept ?? {};
  const room = Math.min(PACK_MAX, ITEM_MAX - packs.reduce((sum, pack) => sum + pack.length, 0));
  const { pack, left_out } = fitting(load.invocation, load.spans, room);
  const all = before + left_out;
  const carried = { packs: pack ? [...packs, pack] : packs, ...(all > 0 && { left_out: all }) };
  return { carried, pack, left_out, delivered: load.delivered };
}

/** The longest prefix of the spans, weightiest first, whose pack has at most `room` characters. */
function fitting(
  invocation: string,
  spans: readonly SpanRecord[],
  room: number,
): { pack: string | undefined; left_out: number } {
  const ordered = spans.toSorted((a, b) => weight(b) - weight(a) || a.start_ms - b.start_ms);
  for (let count = ordered.length; count > 0; count = Math.floor(count * 0.75)) {
    const pack = packSpans(invocation, ordered.slice(0, count));
    if (pack.length <= room) return { pack, left_out: ordered.length - count };
  }
  return { pack: undefined, left_out: ordered.length };
}

/** What makes the tree comes before what decorates it. */
function weight({ kind, status, open }: SpanRecord): number {
  return (
    (kind === "internal" || kind === "client" ? 0 : 4) + (open ? 2 : 0) + (status.code === "error" ? 1 : 0)
  );
}
