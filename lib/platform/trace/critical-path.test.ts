import { describe, expect, it } from "vitest";
import type { KeptSpan } from "#lib/platform/trace/task-spans.ts";
import { buildTree, criticalPath } from "#lib/platform/trace/trace-tree.ts";
import { FAKE_TRACE, keptSpan, spanId } from "#test/fakes/kept-span.ts";

const path = (spans: KeptSpan[]) =>
  criticalPath(buildTree({ trace_id: FAKE_TRACE, span_id: spanId("root"), started_ms: 0 }, spans));
const producer = { kind: "producer" } as const;
const consumer = { kind: "consumer" } as const;

describe("the critical path", () => {
  it("tells waiting in queues from work, and the parts add up", () => {
    const parts = path([
      keptSpan("root", undefined, [0, 50]),
      keptSpan("send", "root", [40, 45], producer),
      keptSpan("process", "send", [100, 400], consumer),
      keptSpan("run", "process", [120, 380], { invocation: "process" }),
    ]);
    expect(parts).toEqual({ total_ms: 400, work_ms: 340, queue_ms: 60, retry_ms: 0, idle_ms: 0 });
  });

  it("counts failed attempts and their back-off apart from the first wait", () => {
    const parts = path([
      keptSpan("root", undefined, [0, 10]),
      keptSpan("send", "root", [10, 12], producer),
      keptSpan("attempt1", "send", [20, 50], consumer),
      keptSpan("attempt2", "send", [90, 200], consumer),
    ]);
    expect(parts).toEqual({ total_ms: 200, work_ms: 120, queue_ms: 10, retry_ms: 70, idle_ms: 0 });
  });

  it("counts as idle what passed until somebody nudged a task that stood still", () => {
    const parts = path([
      keptSpan("root", undefined, [0, 10]),
      keptSpan("swept", "root", [500, 510], producer),
      keptSpan("process", "swept", [520, 600], consumer),
    ]);
    expect(parts).toEqual({ total_ms: 600, work_ms: 90, queue_ms: 20, retry_ms: 0, idle_ms: 490 });
  });

  it("of a trace nobody recorded is nothing", () => {
    expect(path([])).toEqual({ total_ms: 0, work_ms: 0, queue_ms: 0, retry_ms: 0, idle_ms: 0 });
  });
});
