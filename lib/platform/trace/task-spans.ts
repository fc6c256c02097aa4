import { type DynamoDBDocumentClient, PutCommand, QueryCommand } from "@aws-sdk/lib-dynamodb";
import { z } from "zod";
import { instant, type Runtime } from "#lib/platform/runtime/runtime.ts";
import type { TaskRef } from "#lib/platform/trace/span-recorder.ts";
import type { SpanGroup, SpanSink } from "#lib/platform/trace/span-sink.ts";
import { SpanRecord } from "#schemas/records/span.ts";

interface SpanPorts {
  table: DynamoDBDocumentClient;
  table_name: string;
  runtime: Pick<Runtime, "now">;
}

/** A span with the invocation that recorded it: spans of one invocation were timed by one clock. */
export interface KeptSpan extends SpanRecord {
  invocation: string;
}

const KEPT_DAYS = 14;
/** DynamoDB takes 400 KB an item; an attribute has at most 1024 characters. */
const ITEM_BYTES_MAX = 300_000;
const PARALLEL_MAX = 10;
const PAGES_MAX = 10;

/** A task's spans have a partition of their own, so reading its ledger costs the same as without them. */
function tracePartition({ tenant, task_id }: TaskRef): string {
  return `TRACE#${tenant}#${task_id}`;
}

/** Keeps spans in the table: one item an invocation and task, whatever the number of spans. */
export function taskSpanSink({ table, table_name, runtime }: SpanPorts): SpanSink {
  return {
    name: "table",
    async write({ groups, invocation }, abortSignal) {
      const now = runtime.now();
      const items = groups.flatMap(({ task, spans }) => {
        if (!task) return [];
        const pk = tracePartition(task);
        const sk = `SPANS#${instant(now)}#${invocation}`;
        const expires_at = Math.floor(now / 1000) + KEPT_DAYS * 86_400;
        return [{ pk, sk, invocation, spans: withinItem(spans), expires_at }];
      });
      const put = (Item: (typeof items)[number]) =>
        table.send(new PutCommand({ TableName: table_name, Item }), { abortSignal });
      while (items.length > 0) await Promise.all(items.splice(0, PARALLEL_MAX).map(put));
    },
  };
}

/** The longest head that fits an item. */
function withinItem(spans: SpanGroup["spans"]): SpanGroup["spans"] {
  let bytes = 0;
  return spans.filter((span) => {
    bytes += JSON.stringify(span).length;
    return bytes <= ITEM_BYTES_MAX;
  });
}

const KeptItem = z.object({ invocation: z.string(), expires_at: z.number(), spans: z.array(SpanRecord) });

/** A task's spans as recorded so far; `truncated` when there are more than a trace shows. */
export async function readTaskSpans(
  task: TaskRef,
  { table, table_name, runtime }: SpanPorts,
): Promise<{ spans: KeptSpan[]; truncated: boolean }> {
  const spans: KeptSpan[] = [];
  const now_seconds = runtime.now() / 1000;
  let ExclusiveStartKey: Record<string, unknown> | undefined;
  for (let pages = 0; pages < PAGES_MAX; pages += 1) {
    const page = await table.send(
      new QueryCommand({
        TableName: table_name,
        KeyConditionExpression: "pk = :pk",
        ExpressionAttributeValues: { ":pk": tracePartition(task) },
        ExclusiveStartKey,
      }),
    );
    for (const item of page.Items ?? []) {
      const kept = KeptItem.safeParse(item);
      if (!kept.success || kept.data.expires_at < now_seconds) continue;
      spans.push(...kept.data.spans.map((span) => ({ ...span, invocation: kept.data.invocation })));
    }
    ExclusiveStartKey = page.LastEvaluatedKey;
    if (!ExclusiveStartKey) return { spans, truncated: false };
  }
  return { spans, truncated: true };
}
