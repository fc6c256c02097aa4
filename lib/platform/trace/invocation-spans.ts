import type { Log } from "#lib/platform/log/log.ts";
import type { Runtime } from "#lib/platform/runtime/runtime.ts";
import type { RecordedSpan, SpanRecorder, TaskRef } from "#lib/platform/trace/span.ts";
import type { SpanBatch, SpanGroup, SpanSink } from "#lib/platform/trace/task-spans.ts";
import type { SpanRecord } from "#schemas/records/span.ts";

/** The spans of one invocation. The writes of the ledger carry them; at its end they go to the sinks. */
export interface InvocationSpans {
  /** A recorder for one message or request. Its task may be set later. */
  scope(task?: TaskRef): SpanRecorder;
  /** Hands all recorded spans to every sink within a bounded time. Never throws. */
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

/** The spans of one message or request. */
interface Scope {
  task: TaskRef | undefined;
  ended: SpanRecord[];
  open: Map<string, () => RecordedSpan>;
  /** Spans that a write has carried, as it carried them. */
  carried: Map<string, SpanRecord>;
  changed_nothing: boolean;
}

export function invocationSpans({ sinks, runtime, log, ...invocation }: Invocation): InvocationSpans {
  const scopes: Scope[] = [];
  const { service } = invocation;
  let recorded = 0;
  const recorderOf = (scope: Scope): SpanRecorder => ({
    begin(span_id, now) {
      if (sinks) scope.open.set(span_id, now);
    },
    add(span) {
      recorded += 1;
      scope.open.delete(span.span_id);
      if (sinks && recorded <= SPANS_MAX) scope.ended.push({ ...span, service });
    },
    load(trace_id) {
      const open = [...scope.open.values()].map((now) => ({ ...now(), service, open: true as const }));
      const spans = [...scope.ended.filter(({ span_id }) => isNews(scope, span_id)), ...open].filter(
        (span) => span.trace_id === trace_id,
      );
      const delivered = () => {
        for (const span of spans) scope.carried.set(span.span_id, span);
      };
      return { invocation: invocation.invocation, spans, delivered };
    },
    belongsTo(owner) {
      scope.task = owner;
    },
    changedNothing() {
      scope.changed_nothing = true;
    },
  });
  return {
    scope(task) {
      const scope: Scope = { task, ended: [], open: new Map(), carried: new Map(), changed_nothing: false };
      scopes.push(scope);
      return recorderOf(scope);
    },
    async flush(remaining_ms) {
      if (recorded > SPANS_MAX) {
        log.warn("SPANS_LOST", `${recorded - SPANS_MAX} spans beyond the limit of ${SPANS_MAX} were dropped`);
      }
      if (!sinks || sinks.length === 0) return;
      const left = scopes.filter(leavesNews);
      const batches = { all: groupsOf(scopes), left: groupsOf(left) };
      const bounds = { runtime, log, remaining_ms };
      await writeSpans((sink) => ({ ...invocation, groups: batches[sink.takes ?? "all"] }), sinks, bounds);
    },
  };
}

/** Whether no write has carried the span with its end. */
function isNews({ carried }: Scope, span_id: string): boolean {
  const before = carried.get(span_id);
  return before === undefined || before.open === true;
}

/**
 * Whether something would be missing from the task's trace: a span that no write carried, or one that has failed since.
 * That others have ended since can be derived. A slow call of AWS alone is not worth a write.
 */
function leavesNews({ ended, carried, changed_nothing }: Scope): boolean {
  if (changed_nothing) return ended.some(({ status }) => status.code === "error");
  return ended.some(({ span_id, status, kind }) => {
    const before = carried.get(span_id);
    if (before) return before.open === true && before.status.code !== status.code;
    return kind !== "client" || carried.size === 0;
  });
}

function groupsOf(scopes: Scope[]): SpanGroup[] {
  const groups = new Map<string, SpanGroup>();
  for (const { task, ended } of scopes) {
    if (ended.length === 0) continue;
    const key = task ? `${task.tenant}/${task.task_id}` : "";
    const group = groups.get(key) ?? { task, spans: [] };
    group.spans.push(...ended);
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
async function writeSpans(
  batchFor: (sink: SpanSink) => SpanBatch,
  sinks: readonly SpanSink[],
  bounds: Bounds,
): Promise<void> {
  const { runtime, remaining_ms } = bounds;
  const now = runtime.now();
  const awake = sinks
    .filter((sink) => (quietUntil.get(sink) ?? 0) <= now)
    .map((sink) => ({ sink, batch: batchFor(sink) }))
    .filter(({ batch }) => batch.groups.length > 0);
  const limit_ms = Math.min(WRITE_MS_MAX, Math.floor(remaining_ms / 2));
  if (limit_ms < 1) return;
  await Promise.all(awake.map(({ sink, batch }) => writeOne(sink, batch, limit_ms, bounds)));
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
