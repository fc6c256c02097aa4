import { z } from "zod";
import { instant, type Runtime } from "#lib/platform/runtime/runtime.ts";
import { SPANS } from "#lib/platform/table/items.ts";
import { keyOf, partitionOf } from "#lib/platform/table/keys.ts";
import { ITEM_BYTES_MAX } from "#lib/platform/table/limits.ts";
import { putItem, type TablePorts } from "#lib/platform/table/operations.ts";
import { queryPages } from "#lib/platform/table/queries.ts";
import { expiryOf, isExpired } from "#lib/platform/table/retention.ts";
import type { TaskRef } from "#lib/platform/trace/span.ts";
import { SpanRecord } from "#schemas/records/span.ts";

/** Finished spans of one invocation that belong to one task, or to none. */
export interface SpanGroup {
  task: TaskRef | undefined;
  spans: SpanRecord[];
}

/** All finished spans of one invocation. */
export interface SpanBatch {
  service: string;
  function_name: string;
  /** Lambda's request id; unique to the invocation. */
  invocation: string;
  groups: SpanGroup[];
}

/** A destination of finished spans. It may fail or hang: the caller must bound the wait. */
export interface SpanSink {
  name: string;
  write(batch: SpanBatch, signal: AbortSignal): Promise<void>;
}

interface SpanPorts extends TablePorts {
  runtime: Pick<Runtime, "now">;
}

/** A span with the invocation that recorded it: spans of one invocation were timed by one clock. */
export interface KeptSpan extends SpanRecord {
  invocation: string;
}

const PARALLEL_MAX = 10;
const PAGES_MAX = 10;

/** Stores spans in the table: one item for each invocation and task. */
export function taskSpanSink(ports: SpanPorts): SpanSink {
  return {
    name: "table",
    async write({ groups, invocation }, abortSignal) {
      const now = ports.runtime.now();
      const items = groups.flatMap(({ task, spans }) => {
        if (!task) return [];
        const key = keyOf(SPANS, { ...task, at: instant(now), invocation });
        return [{ ...key, invocation, spans: withinItem(spans), expires_at: expiryOf(SPANS, now) }];
      });
      while (items.length > 0) {
        const batch = items.splice(0, PARALLEL_MAX);
        await Promise.all(batch.map((item) => putItem(item, ports, { abortSignal })));
      }
    },
  };
}

/** The first spans that fit into one item. */
function withinItem(spans: SpanGroup["spans"]): SpanGroup["spans"] {
  let bytes = 0;
  return spans.filter((span) => {
    bytes += JSON.stringify(span).length;
    return bytes <= ITEM_BYTES_MAX;
  });
}

const KeptItem = z.object({ invocation: z.string(), expires_at: z.number(), spans: z.array(SpanRecord) });

/** Reads a task's spans recorded so far. `truncated` is true when there are more pages than are read. */
export async function readTaskSpans(
  task: TaskRef,
  ports: SpanPorts,
): Promise<{ spans: KeptSpan[]; truncated: boolean }> {
  const spans: KeptSpan[] = [];
  const now = ports.runtime.now();
  let pages = 0;
  for await (const { items, last } of queryPages(partitionOf(SPANS, task), {}, ports)) {
    for (const item of items) {
      const kept = KeptItem.safeParse(item);
      if (!kept.success || isExpired(kept.data, now)) continue;
      spans.push(...kept.data.spans.map((span) => ({ ...span, invocation: kept.data.invocation })));
    }
    pages += 1;
    if (pages === PAGES_MAX) return { spans, truncated: last !== undefined };
  }
  return { spans, truncated: false };
}
