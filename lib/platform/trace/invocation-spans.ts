import type { Log } from "#lib/platform/log/log.ts";
import type { Runtime } from "#lib/platform/runtime/runtime.ts";
import type { SpanRecorder, TaskRef } from "#lib/platform/trace/span.ts";
import type { SpanBatch, SpanGroup, SpanSink } from "#lib/platform/trace/task-spans.ts";

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

interface Bounds {
  runtime: Runtime;
  log: Log;
  /** Left of the invocation. */
  remaining_ms: number;
}

/** All that a trace may ever cost an invocation, whatever its sinks do. */
const WRITE_MS_MAX = 1000;
/** A sink that hung is left alone this long, so that it does not slow every invocation. */
const QUIET_MS = 30_000;

const quietUntil = new WeakMap<SpanSink, number>();

/** Writes to all sinks at once, within a bounded time. Losing spans is a log line, never an error. */
async function writeSpans(
  batch: SpanBatch,
  sinks: readonly SpanSink[],
  bounds: Bounds,
): Promise<void> {
  const { runtime, remaining_ms } = bounds;
  const now = runtime.now();
  const awake = sinks.filter((sink) => (quietUntil.get(sink) ?? 0) <= now);
  const limit_ms = Math.min(WRITE_MS_MAX, Math.floor(remaining_ms / 2));
  if (limit_ms < 1) return;
  await Promise.all(awake.map((sink) => writeOne(sink, batch, limit_ms, bounds)));
}

async function writeOne(
  sink: SpanSink,
  batch: SpanBatch,
  limit_ms: number,
  { runtime, log }: Bounds,
): Promise<void> {
  const stop = new AbortController();
  const done = new AbortController();
  const late = runtime.sleep(limit_ms, done.signal).then(() => {
    quietUntil.set(sink, runtime.now() + QUIET_MS);
    throw new Error(`it did not answer within ${limit_ms} ms and is left alone for ${QUIET_MS / 1000} s`);
  });
  try {
    const written = sink.write(batch, stop.signal);
    written.catch(() => undefined); // when it fails after we stopped waiting
    await Promise.race([written, late]);
  } catch (error) {
    const spans = batch.groups.reduce((sum, group) => sum + group.spans.length, 0);
    log.warn("SPANS_LOST", `${sink.name} took no spans: ${String(error)}`, { sink: sink.name, spans });
  } finally {
    late.catch(() => undefined); // the sleep was ended
    done.abort();
    stop.abort();
  }
}
