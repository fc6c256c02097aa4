import { z } from "zod";
import { instant, type Runtime } from "#lib/platform/runtime/runtime.ts";
import { SPANS, TASK } from "#lib/platform/table/items.ts";
import { type Item, keyOf, type Partition, partitionOf } from "#lib/platform/table/keys.ts";
import { ITEM_BYTES_MAX } from "#lib/platform/table/limits.ts";
import { putItem, type TablePorts } from "#lib/platform/table/operations.ts";
import { queryPages } from "#lib/platform/table/queries.ts";
import { expiryOf, isExpired } from "#lib/platform/table/retention.ts";
import { endedSpans } from "#lib/platform/trace/ended-spans.ts";
import { type PackedSpan, unpackSpans } from "#lib/platform/trace/pack-spans.ts";
import type { TaskRef } from "#lib/platform/trace/span.ts";
import { CarriedSpans, SpanRecord } from "#schemas/records/span.ts";

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
  /** `left`: only the spans of messages and requests of which no write of the ledger carried all that matters. */
  takes?: "all" | "left";
  write(batch: SpanBatch, signal: AbortSignal): Promise<void>;
}

interface SpanPorts extends TablePorts {
  runtime: Pick<Runtime, "now">;
}

/** A span with the invocation that recorded it: spans of one invocation were timed by one clock. */
export type KeptSpan = PackedSpan;

const PARALLEL_MAX = 10;
const PAGES_MAX = 10;

/**
 * Stores what no write of the ledger carried: one item for each invocation and task. So a duplicate, which writes
 * nothing else, leaves its spans too.
 */
export function taskSpanSink(ports: SpanPorts): SpanSink {
  return {
    name: "table",
    takes: "left",
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
const CarryingItem = z.object({ spans: CarriedSpans });

/** A task's spans as they were recorded so far. */
export interface TaskSpans {
  spans: KeptSpan[];
  /** There are more than were read. */
  truncated: boolean;
  /** Spans that found no room on the writes of the ledger. */
  left_out: number;
}

/** Reads a task's spans: those its ledger carries, and those in items of their own. */
export async function readTaskSpans(task: TaskRef, ports: SpanPorts): Promise<TaskSpans> {
  const now = ports.runtime.now();
  const [ledger, own] = await Promise.all([
    firstPages(partitionOf(TASK, task), ports, ["#spans"]),
    firstPages(partitionOf(SPANS, task), ports),
  ]);
  const carried = ledger.items.flatMap((item) => CarryingItem.safeParse(item).data?.spans ?? []);
  const kept = own.items.flatMap((item) => {
    const parsed = KeptItem.safeParse(item);
    if (!parsed.success || isExpired(parsed.data, now)) return [];
    return parsed.data.spans.map((span) => ({ ...span, invocation: parsed.data.invocation }));
  });
  const unpacked = carried.flatMap(({ packs }) => packs.flatMap(unpackSpans));
  return {
    spans: endedSpans([...unpacked, ...kept]),
    truncated: ledger.more || own.more,
    left_out: carried.reduce((sum, { left_out = 0 }) => sum + left_out, 0),
  };
}

async function firstPages(partition: Partition, ports: TablePorts, attributes?: readonly string[]) {
  const items: Item[] = [];
  let pages = 0;
  for await (const page of queryPages(partition, { ...(attributes && { attributes }) }, ports)) {
    items.push(...page.items);
    pages += 1;
    if (pages === PAGES_MAX) return { items, more: page.last !== undefined };
  }
  return { items, more: false };
}
