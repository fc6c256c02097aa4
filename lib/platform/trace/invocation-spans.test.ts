import { describe, expect, it } from "vitest";
import { ParkedFault, RetryableFault } from "#lib/platform/errors/fault.ts";
import type { Log } from "#lib/platform/log/log.ts";
import { type Runtime, systemRuntime } from "#lib/platform/runtime/runtime.ts";
import { invocationSpans } from "#lib/platform/trace/invocation-spans.ts";
import { inSpan, startSpan } from "#lib/platform/trace/span.ts";
import type { SpanBatch, SpanSink } from "#lib/platform/trace/task-spans.ts";
import { SpanRecord } from "#schemas/records/span.ts";

const TASK = { tenant: "acme", task_id: "task_1" };

function setUp(write: SpanSink["write"] | undefined = async () => undefined) {
  const batches: SpanBatch[] = [];
  const warnings: string[] = [];
  const slept: number[] = [];
  let now = 1000;
  const at = (code: string) => void warnings.push(code);
  const log: Log = { info: at, warn: at, error: at, with: () => log };
  /** Sleeping takes no time: a hanging sink is given up at once. */
  const runtime: Runtime = {
    ...systemRuntime,
    now: () => now,
    sleep: async (ms) => {
      slept.push(ms);
      await new Promise((resolve) => setImmediate(resolve));
    },
  };
  const sink: SpanSink = {
    name: "test",
    write(batch, signal) {
      batches.push(batch);
      return write(batch, signal);
    },
  };
  const of = (sinks: SpanSink[] | undefined = [sink]) =>
    invocationSpans({ service: "codegen", function_name: "f", invocation: "i", runtime, log, sinks });
  return {
    of,
    batches,
    warnings,
    slept,
    runtime,
    tick: (ms: number) => {
      now += ms;
    },
  };
}

describe("the spans of an invocation", () => {
  it("are written once, together, by task", async () => {
    const { of, batches, runtime, tick } = setUp();
    const spans = of();
    const recorder = spans.scope(TASK);
    await inSpan(undefined, { name: "outer", recorder, kind: "consumer" }, runtime, async (outer) => {
      tick(5);
      await inSpan(outer, { name: "inner", attributes: { a: 1 } }, runtime, async () => tick(10));
    });
    startSpan(undefined, { name: "of no task", recorder: spans.scope() }, runtime).end();
    await spans.flush(60_000);
    expect(batches).toHaveLength(1);
    const [mine, nobodys] = batches[0]!.groups;
    expect(mine?.task).toEqual(TASK);
    expect(mine?.spans.map((span) => SpanRecord.parse(span))).toMatchObject([
      { name: "inner", service: "codegen", start_ms: 1005, end_ms: 1015, attributes: { a: 1 } },
      { name: "outer", kind: "consumer", start_ms: 1000, end_ms: 1015 },
    ]);
    expect(mine?.spans[0]?.parent_span_id).toBe(mine?.spans[1]?.span_id);
    expect(nobodys).toMatchObject({ task: undefined, spans: [{ name: "of no task" }] });
  });

  it("go to the task their request turns out to be about", async () => {
    const { of, batches, runtime } = setUp();
    const spans = of();
    const span = startSpan(undefined, { name: "request", recorder: spans.scope() }, runtime);
    span.recorder?.belongsTo(TASK);
    span.end();
    await spans.flush(60_000);
    expect(batches[0]?.groups[0]?.task).toEqual(TASK);
  });

  it("of a message that changed nothing are worth no write, and go to a collector all the same", async () => {
    const { of, batches, runtime } = setUp();
    const collected: SpanBatch[] = [];
    const table: SpanSink = {
      name: "table",
      takes: "left",
      write: async (batch) => void batches.push(batch),
    };
    const collector: SpanSink = { name: "collector", write: async (batch) => void collected.push(batch) };
    for (const failing of [false, true]) {
      const spans = of([table, collector]);
      const recorder = spans.scope(TASK);
      const span = startSpan(undefined, { name: "process", kind: "consumer", recorder }, runtime);
      recorder.changedNothing?.();
      if (failing) span.fail("BROKEN", "it broke");
      span.end();
      await spans.flush(60_000);
    }
    expect(collected).toHaveLength(2);
    expect(batches.map(({ groups }) => groups[0]?.spans[0]?.status.code)).toEqual(["error"]);
  });

  it("are not recorded when the trace is not sampled, nor without a recorder or a sink", async () => {
    const { of, batches, runtime } = setUp();
    const spans = of();
    const quiet = { trace_id: "a".repeat(32), span_id: "b".repeat(16), sampled: false };
    startSpan(quiet, { name: "quiet", recorder: spans.scope(TASK) }, runtime).end();
    startSpan(undefined, { name: "nowhere" }, runtime).end();
    await spans.flush(60_000);
    const sinkless = of([]);
    startSpan(undefined, { name: "dropped", recorder: sinkless.scope(TASK) }, runtime).end();
    await sinkless.flush(60_000);
    expect(batches).toEqual([]);
  });

  it("carry what went wrong, except that waiting for somebody is no failure", async () => {
    const { of, batches, runtime } = setUp();
    const spans = of();
    const recorder = spans.scope(TASK);
    const failing = (error: Error) =>
      inSpan(undefined, { name: "work", recorder }, runtime, async () => {
        throw error;
      });
    await expect(failing(new RetryableFault("MODEL_UNAVAILABLE", "x".repeat(9999)))).rejects.toThrow("xxx");
    await expect(failing(new ParkedFault("IN_PROGRESS", "later"))).rejects.toThrow("later");
    await expect(failing(new TypeError("oops"))).rejects.toThrow("oops");
    await spans.flush(60_000);
    const found = batches[0]!.groups[0]!.spans.map((span) => SpanRecord.parse(span));
    expect(found.map(({ status }) => [status.code, status.error_code])).toEqual([
      ["error", "MODEL_UNAVAILABLE"],
      ["unset", undefined],
      ["error", "UNEXPECTED"],
    ]);
    expect(found[1]?.attributes).toMatchObject({ "agents.outcome": "park", "error.type": "IN_PROGRESS" });
  });

  it("beyond 2000 are dropped, and said to be", async () => {
    const { of, batches, runtime, warnings } = setUp();
    const spans = of();
    const recorder = spans.scope(TASK);
    for (let n = 0; n < 2003; n += 1) startSpan(undefined, { name: "n", recorder }, runtime).end();
    await spans.flush(60_000);
    expect(batches[0]?.groups[0]?.spans).toHaveLength(2000);
    expect(warnings).toEqual(["SPANS_LOST"]);
  });
});

describe("a sink in trouble", () => {
  const record = (set: ReturnType<typeof setUp>) => {
    const spans = set.of();
    startSpan(undefined, { name: "work", recorder: spans.scope(TASK) }, set.runtime).end();
    return spans;
  };

  it("that refuses costs a log line", async () => {
    const set = setUp(async () => {
      throw new Error("no");
    });
    await record(set).flush(60_000);
    expect(set.warnings).toEqual(["SPANS_LOST"]);
  });

  it("that hangs is given up after a second, told to stop, and left alone for half a minute", async () => {
    const signals: AbortSignal[] = [];
    const set = setUp((_batch, signal) => {
      signals.push(signal);
      return new Promise(() => undefined);
    });
    await record(set).flush(60_000);
    expect([set.slept, set.warnings, signals[0]?.aborted]).toEqual([[1000], ["SPANS_LOST"], true]);
    await record(set).flush(60_000);
    expect(set.batches).toHaveLength(1);
    set.tick(30_001);
    await record(set).flush(60_000);
    expect(set.batches).toHaveLength(2);
  });

  it("never gets more than half of what is left of the invocation", async () => {
    const set = setUp(() => new Promise(() => undefined));
    await record(set).flush(300);
    await record(set).flush(0);
    expect(set.slept).toEqual([150]);
  });
});
