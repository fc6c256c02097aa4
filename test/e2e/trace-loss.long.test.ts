import { afterAll, describe, expect, it } from "vitest";
import { TraceView } from "#schemas/http/trace-view.ts";
import { type Collector, startCollector } from "#test/fakes/collector.ts";
import { exampleSource, FIX } from "./example.ts";
import { testStack } from "./test-stack.ts";

let collector: Collector;
afterAll(() => collector?.stop());
const { api } = testStack(async () => {
  collector = await startCollector();
  return { env: { OTEL_EXPORTER_OTLP_ENDPOINT: collector.url } };
});

describe("a collector in trouble", () => {
  it.each(["refuses", "hangs"] as const)("that %s changes nothing of a task", async (temper) => {
    collector.temper = temper;
    const { task_id } = await api.submit({
      workflow: "change",
      source: exampleSource(),
      change: { kind: "patch", diff: FIX },
      test: "node --test --test-reporter=tap",
    });
    const view = await api.ended(task_id);
    expect(view).toMatchObject({ status: "succeeded", verdict: "passed" });
    expect(view.steps.map(({ attempts }) => attempts)).toEqual([1, 1, 1, 1]);
    const { body } = await api.request("GET", `/api/tasks/${task_id}/trace`);
    expect(TraceView.parse(body).span_count).toBeGreaterThan(10);
    expect(collector.requests).toEqual([]);
  });
});
