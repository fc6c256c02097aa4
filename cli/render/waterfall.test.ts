import { describe, expect, it } from "vitest";
import { SpanView, TraceView } from "#schemas/http/trace-view.ts";
import { at, TASK_ID, TRACE_ID } from "../../test/fakes/fake-task.ts";
import { createPaint } from "./paint.ts";
import { waterfall } from "./waterfall.ts";

const plain = createPaint(false);
let spans = 0;

function span(name: string, [from, to]: [number, number], fields: Partial<SpanView> = {}): SpanView {
  spans += 1;
  return SpanView.parse({
    span_id: String(spans).padStart(16, "0"),
    name,
    kind: "internal",
    service: "fake",
    started_at: at(from / 1000),
    offset_ms: from,
    duration_ms: to - from,
    status: { code: "unset" },
    attributes: {},
    children: [],
    ...fields,
  });
}

const trace = (root: SpanView, fields: Partial<TraceView> = {}) =>
  TraceView.parse({
    task_id: TASK_ID,
    trace_id: TRACE_ID,
    sampled: true,
    started_at: at(0),
    duration_ms: 1000,
    span_count: 5,
    truncated: false,
    critical_path: { total_ms: 1000, work_ms: 900, queue_ms: 100, retry_ms: 0, idle_ms: 0 },
    root,
    ...fields,
  });

const consumer = { kind: "consumer" } as const;

describe("waterfall", () => {
  it("sets hops one below the other and what they did below each, with times and bars", () => {
    const wait = { "agents.queue.wait_ms": 100, "agents.outcome": "completed" };
    const next = span("process orchestrator", [700, 1000], consumer);
    const run = span("run codegen", [200, 600]);
    const send = span("send orchestrator", [600, 610], { children: [next] });
    const hop = span("process codegen", [200, 620], { ...consumer, attributes: wait, children: [run, send] });
    const root = span("POST /api/tasks", [0, 100], {
      children: [span("send codegen", [90, 100], { children: [hop] })],
    });
    const [head, ...lines] = waterfall(trace(root), plain);
    expect(head).toBe(`1.0 s  work 900 ms, queues 100 ms  (5 spans, trace ${TRACE_ID})`);
    expect(lines.map((line) => line.slice(0, 34).trimEnd())).toEqual([
      "POST /api/tasks",
      "  send codegen",
      "  process codegen",
      "    run codegen",
      "    send orchestrator",
      "  process orchestrator",
    ]);
    expect(lines[2]).toMatch(/200 ms +420 ms {2} {6}█{13} +completed {2}waited 100 ms$/);
  });

  it("tells codes, further attempts and what was not recorded", () => {
    const status = { code: "error", error_code: "FLAKY" } as const;
    const failed = span("process codegen", [0, 10], {
      ...consumer,
      status,
      attributes: { "agents.attempt": 2, "agents.outcome": "retry", "error.type": "FLAKY" },
      parent_lost: true,
    });
    const lines = waterfall(
      trace(span("POST /api/tasks", [0, 0], { lost: true, children: [failed] })),
      plain,
    );
    expect(lines[1]).toContain("not recorded");
    expect(lines[2]).toMatch(/FLAKY {2}retry {2}attempt 2 {2}sender not recorded \(fake\)$/);
  });

  it("says why there is nothing to see", () => {
    const lines = waterfall(trace(span("POST /api/tasks", [0, 0]), { sampled: false }), plain);
    expect(lines[1]).toContain("asked for nothing to be recorded");
  });
});
