import type { Log } from "#lib/platform/log/log.ts";
import type { Runtime } from "#lib/platform/runtime/runtime.ts";
import type { SpanBatch, SpanSink } from "#lib/platform/trace/span-sink.ts";

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
export async function writeSpans(
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
