import type { Log } from "#lib/platform/log/log.ts";
import type { Runtime } from "#lib/platform/runtime/runtime.ts";
import type { SpanRecorder, TaskRef } from "#lib/platform/trace/span.ts";
import type { SpanBatch, SpanGroup, SpanSink } from "#lib/platform/trace/task-spans.ts";

/** The spans of one invocation: recorded as they end, written once at its end. */
export interface InvocationSpans {
  /** A recorder for one message or request. Its task may be set later. */
  scope(task?: TaskRef): SpanRecorder;
  /** Writes all recorded spans to every sink within a bounded time. Never throws. */
  flush(remaining_ms: number): Promise<void>;
}

interface Invocation {
  service: string;
  function_name: string;
  invocation: string;
  runtime: Runtime;
  log: Log;
  /** Undefined: no spans are recorded. */
  sinks: readonly SpanSink[] | undefined;
}

/** Bounds memory: further spans of the invocation are dropped. */
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
        log.warn("SPANS_LOST", `${recorded - SPANS_MAX} spans beyond the limit of ${SPANS_MAX} were dropped`);
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
  /** Time left of the invocation. */
  remaining_ms: number;
}

/** Longest time that an invocation waits for its sinks. */
const WRITE_MS_MAX = 1000;
/** A sink that timed out is skipped for this long, so that it does not slow every invocation. */
const QUIET_MS = 30_000;

const quietUntil = new WeakMap<SpanSink, number>();

/** Writes to all sinks concurrently within a bounded time. Lost spans are logged and never cause an error. */
async function writeSpans(batch: SpanBatch, sinks: readonly SpanSink[], bounds: Bounds): Promise<void> {
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
    throw new Error(`it did not answer within ${limit_ms} ms and is skipped for ${QUIET_MS / 1000} s`);
  });
  try {
    const written = sink.write(batch, stop.signal);
    written.catch(() => undefined); // a failure after the wait ended is ignored
    await Promise.race([written, late]);
  } catch (error) {
    const spans = batch.groups.reduce((sum, group) => sum + group.spans.length, 0);
    log.warn("SPANS_LOST", `spans were not written to ${sink.name}: ${String(error)}`, {
      sink: sink.name,
      spans,
    });
  } finally {
    late.catch(() => undefined); // the sleep was ended
    done.abort();
    stop.abort();
  }
}
