import type { Log } from "#lib/platform/log/log.ts";
import type { Runtime } from "#lib/platform/runtime/runtime.ts";
import type { SpanRecorder, TaskRef } from "#lib/platform/trace/span-recorder.ts";
import type { SpanBatch, SpanGroup, SpanSink } from "#lib/platform/trace/span-sink.ts";
import { writeSpans } from "#lib/platform/trace/write-spans.ts";

/** The spans of one invocation: recorded as they end, written once at its end. */
export interface InvocationSpans {
  /** For one delivery or request, whose task may be told later. */
  scope(task?: TaskRef): SpanRecorder;
  /** Hands everything recorded to every sink, for a bounded time. Never throws. */
  flush(remaining_ms: number): Promise<void>;
}

interface Invocation {
  service: string;
  function_name: string;
  invocation: string;
  runtime: Runtime;
  log: Log;
  /** None: nothing is recorded. */
  sinks: readonly SpanSink[] | undefined;
}

/** An invocation that runs wild loses spans rather than memory. */
const SPANS_MAX = 2000;

export function invocationSpans({ sinks = [], runtime, log, ...invocation }: Invocation): InvocationSpans {
  const scopes: { task: TaskRef | undefined; spans: SpanGroup["spans"] }[] = [];
  let recorded = 0;
  return {
    scope(task) {
      const scope: (typeof scopes)[number] = { task, spans: [] };
      scopes.push(scope);
      return {
        add(span) {
          recorded += 1;
          if (sinks.length > 0 && recorded <= SPANS_MAX) {
            scope.spans.push({ ...span, service: invocation.service });
          }
        },
        belongsTo(owner) {
          scope.task = owner;
        },
      };
    },
    async flush(remaining_ms) {
      if (recorded > SPANS_MAX && sinks.length > 0) {
        log.warn("SPANS_LOST", `${recorded - SPANS_MAX} spans beyond ${SPANS_MAX} were not kept`);
      }
      const groups = byTask(scopes);
      const batch: SpanBatch = { ...invocation, groups };
      if (groups.length > 0) await writeSpans(batch, sinks, { runtime, log, remaining_ms });
    },
  };
}

function byTask(scopes: SpanGroup[]): SpanGroup[] {
  const groups = new Map<string, SpanGroup>();
  for (const { task, spans } of scopes) {
    if (spans.length === 0) continue;
    const key = task ? `${task.tenant}/${task.task_id}` : "";
    const group = groups.get(key) ?? { task, spans: [] };
    group.spans.push(...spans);
    groups.set(key, group);
  }
  return [...groups.values()];
}
