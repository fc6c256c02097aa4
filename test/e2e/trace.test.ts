import { afterAll, describe, expect, it } from "vitest";
import { type SpanView, TraceView } from "#schemas/http/trace-view.ts";
import { type Collector, startCollector } from "#test/fakes/collector.ts";
import { tenantClient } from "./client.ts";
import { exampleSource, FIX } from "./example.ts";
import { testStack } from "./test-stack.ts";

const TRACE_ID = "4bf92f3577b34da6a3ce929d0e0e4736";
const CLIENT_SPAN = "00f067aa0ba902b7";
const TEST = "node --test --test-reporter=tap";

let collector: Collector;
afterAll(() => collector?.stop());
const { stack, api } = testStack(async () => {
  collector = await startCollector();
  return {
    env: {
      OTEL_EXPORTER_OTLP_ENDPOINT: collector.url,
      OTEL_EXPORTER_OTLP_HEADERS: "x-api-key=a%20secret",
    },
  };
});

const change = () => ({
  workflow: "change",
  source: exampleSource(),
  change: { kind: "patch", diff: FIX },
  test: TEST,
});
const all = (span: SpanView): SpanView[] => [span, ...span.children.flatMap(all)];

/** The trace once the invocation that sealed the task has written its spans. */
async function sealedTrace(task_id: string): Promise<TraceView> {
  for (let tries = 0; ; tries += 1) {
    const { body } = await api.request("GET", `/api/tasks/${task_id}/trace`);
    const trace = TraceView.parse(body);
    if (all(trace.root).some(({ name }) => name === "seal")) return trace;
    if (tries === 200) throw new Error("the span of the seal was never written");
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

describe("the trace of a change", () => {
  it("is one tree below the client's span, with every hop in it", async () => {
    const headers = { traceparent: `00-${TRACE_ID}-${CLIENT_SPAN}-01`, tracestate: "vendor=1" };
    const { task_id } = await api.submit(change(), headers);
    expect((await api.ended(task_id)).verdict).toBe("passed");
    const trace = await sealedTrace(task_id);
    const spans = all(trace.root);

    expect(trace).toMatchObject({ task_id, trace_id: TRACE_ID, sampled: true, truncated: false });
    expect(trace.root).toMatchObject({
      name: "POST /api/tasks",
      kind: "server",
      parent_span_id: CLIENT_SPAN,
      attributes: { "http.response.status_code": 202, "http.route": "/api/tasks" },
    });
    expect(spans).toHaveLength(trace.span_count);
    expect(new Set(spans.map(({ span_id }) => span_id)).size).toBe(spans.length);
    expect(spans.filter(({ lost, parent_lost }) => lost || parent_lost)).toEqual([]);
    for (const span of spans) {
      for (const child of span.children) expect(child.parent_span_id, child.name).toBe(span.span_id);
    }

    const names = spans.map(({ name }) => name);
    const steps = ["index", "codegen", "buildtest", "index_result"];
    const hops = ["accept task", "send orchestrator", "process orchestrator", "advance", "seal"];
    const of_steps = steps.flatMap((step) => [`claim ${step}`, `run ${step}`, `complete ${step}`]);
    const of_agents = ["indexing", "codegen", "buildtest"].flatMap((one) => [
      `send ${one}`,
      `process ${one}`,
    ]);
    const parts = ["resolve source", "unpack", "read tree", "embed", "create diff", "prove diff", "test"];
    expect(names).toEqual(expect.arrayContaining([...hops, ...of_steps, ...of_agents, ...parts]));
    const decisions = spans.map(({ attributes }) => attributes["agents.decision"]).filter(Boolean);
    // Index and change are dispatched together, then the test, then the index of the result.
    expect(decisions.filter((decision) => decision === "dispatch")).toHaveLength(3);
    expect(decisions).toContain("finish");

    const received = spans.filter(({ kind }) => kind === "consumer");
    for (const { attributes } of received) {
      expect(attributes["agents.queue.wait_ms"]).toBeGreaterThanOrEqual(0);
      expect(attributes["agents.aws.dynamodb.calls"]).toBeGreaterThan(0);
    }
    const { total_ms, work_ms, queue_ms, retry_ms, idle_ms } = trace.critical_path;
    expect(work_ms + queue_ms + retry_ms + idle_ms).toBe(total_ms);
    expect(work_ms).toBeGreaterThan(0);
  });

  it("reaches a collector as OTLP, under the same ids", async () => {
    const { task_id } = await api.submit(change());
    await api.ended(task_id);
    const trace = await sealedTrace(task_id);
    const stored = all(trace.root).map(({ span_id }) => span_id);
    const arrived = () => collector.spans().filter(({ traceId }) => traceId === trace.trace_id);
    await expect
      .poll(() => arrived().map(({ spanId }) => spanId), { timeout: 20_000 })
      .toEqual(expect.arrayContaining(stored));
    const more = arrived().filter(({ spanId }) => !stored.includes(spanId));
    const of_idle_nudges = ["process orchestrator", "advance", "DynamoDB Query", "DynamoDB.Query"];
    expect(of_idle_nudges).toEqual(expect.arrayContaining(more.map(({ name }) => name)));
    const services = collector.resources().map((resource) => resource["service.name"]);
    expect(services).toEqual(expect.arrayContaining(["gateway", "orchestrator", "indexing", "buildtest"]));
    expect(collector.requests.every(({ headers }) => headers["x-api-key"] === "a secret")).toBe(true);
  });

  it("begins anew when the client's traceparent is malformed, and is empty when it is not sampled", async () => {
    const malformed = await api.submit(change(), { traceparent: `00-${TRACE_ID}-nonsense-01` });
    expect(malformed.trace_id).not.toBe(TRACE_ID);
    const trace_id = TRACE_ID.replace("4", "5");
    const quiet = await api.submit(change(), { traceparent: `00-${trace_id}-${CLIENT_SPAN}-00` });
    expect(quiet.trace_id).toBe(trace_id);
    for (const { task_id } of [malformed, quiet]) expect((await api.ended(task_id)).verdict).toBe("passed");
    const { body } = await api.request<TraceView>("GET", `/api/tasks/${quiet.task_id}/trace`);
    expect(body).toMatchObject({ trace_id, sampled: false, span_count: 0, root: { lost: true } });
    expect(collector.spans().filter(({ traceId }) => traceId === trace_id)).toEqual([]);
  });

  it("is nobody else's to read", async () => {
    const { task_id } = await api.submit(change());
    const other = await tenantClient(stack.url, stack.data_dir, "other");
    expect((await other.request("GET", `/api/tasks/${task_id}/trace`)).status).toBe(404);
    await api.ended(task_id);
  });
});
