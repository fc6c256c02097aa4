import { describe, expect, it } from "vitest";
import { makeCounters } from "#lib/platform/metrics/counters.ts";
import { counterSamples, histogramSamples } from "#lib/platform/metrics/series.ts";
import { expose, formatFor } from "./exposition.ts";
import { metricsScope } from "./metrics.ts";

function series() {
  const counters = makeCounters();
  counters.count("steps_passed", "acme", 2);
  counters.count("duplicates_blocked", "acme", 1);
  counters.duration("step", "acme", 40);
  const amounts = new Map(counters.entries().map(({ metric, amount }) => [metric, amount]));
  const rows = [{ service: "codegen", role: "worker", shard: "0", tenant: 'a"b\\c\nd', amounts }];
  const labels = { service: "codegen", role: "queue", shard: "0", tenant: "_platform", state: "waiting" };
  const gauges = [{ name: "agents_queue_messages", labels, value: 7 }];
  return { counters: counterSamples(rows), histograms: histogramSamples(rows), gauges };
}

const LABELS = 'service="codegen",role="worker",shard="0",tenant="a\\"b\\\\c\\nd"';

describe("the exposition", () => {
  it("is Prometheus text with help, type, labels and escapes", async () => {
    const { text, content_type } = await expose(series(), "prometheus");
    expect(content_type).toBe("text/plain; version=0.0.4; charset=utf-8");
    expect(text).toContain("# TYPE agents_steps_total counter\n");
    expect(text).toContain(`agents_steps_total{${LABELS},verdict="passed"} 2\n`);
    expect(text).toContain(`agents_step_duration_seconds_bucket{${LABELS},le="0.05"} 1\n`);
    expect(text).toContain(`agents_step_duration_seconds_bucket{${LABELS},le="+Inf"} 1\n`);
    expect(text).toContain(`agents_step_duration_seconds_sum{${LABELS}} 0.04\n`);
    expect(text).toContain('agents_queue_messages{service="codegen",role="queue"');
    expect(text).not.toContain("agents_tasks_swept_total");
  });

  it("is OpenMetrics with its end, and families without _total", async () => {
    const { text, content_type } = await expose(series(), "openmetrics");
    expect(content_type).toBe("application/openmetrics-text; version=1.0.0; charset=utf-8");
    expect(text).toContain("# TYPE agents_steps counter\n");
    expect(text).toContain(`agents_steps_total{${LABELS},verdict="passed"} 2\n`);
    expect(text.endsWith("\n# EOF\n")).toBe(true);
  });
});

describe("the format", () => {
  it.each([
    [undefined, "prometheus"],
    ["", "prometheus"],
    ["*/*", "prometheus"],
    ["text/plain", "prometheus"],
    ["application/openmetrics-text", "openmetrics"],
    ["Application/OpenMetrics-Text; version=1.0.0", "openmetrics"],
    [
      "application/openmetrics-text;version=1.0.0;q=0.5,text/plain;version=0.0.4;q=0.3,*/*;q=0.1",
      "openmetrics",
    ],
    ["application/openmetrics-text;q=0.2,text/plain;q=0.9", "prometheus"],
    ["application/openmetrics-text;q=0", "prometheus"],
    ["application/openmetrics-text;q=x", "prometheus"],
    ["application/openmetrics-textual", "prometheus"],
  ])("for Accept %s is %s", (accept, format) => {
    expect(formatFor(accept)).toBe(format);
  });
});

describe("whose numbers a caller sees", () => {
  const operate = ["read", "operate"] as const;
  it("is its own tenant, and any other only as an operator with scope operate", () => {
    expect(metricsScope(undefined, { tenant: "acme", scopes: ["read"] }, [])).toEqual({
      tenant: "acme",
      operator: false,
    });
    expect(metricsScope("*", { tenant: "ops", scopes: operate }, ["ops"])).toEqual({
      tenant: "*",
      operator: true,
    });
    expect(metricsScope("acme", { tenant: "ops", scopes: operate }, ["ops"]).tenant).toBe("acme");
    const refused = { status: 403, code: "OPERATOR_TENANT_REQUIRED" };
    for (const [asked, tenant, scopes] of [
      ["*", "acme", operate],
      ["other", "acme", operate],
      ["*", "ops", ["read"] as const],
    ] as const) {
      expect(() => metricsScope(asked, { tenant, scopes }, ["ops"])).toThrow(
        expect.objectContaining(refused),
      );
    }
  });
});
