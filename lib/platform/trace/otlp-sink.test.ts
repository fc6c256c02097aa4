import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { telemetry } from "#lib/platform/settings/telemetry.ts";
import { otlpSink } from "#lib/platform/trace/otlp-sink.ts";
import type { SpanBatch } from "#lib/platform/trace/task-spans.ts";
import type { SpanRecord } from "#schemas/records/span.ts";
import { type Collector, startCollector } from "#test/fakes/collector.ts";
import { FAKE_TRACE, keptSpan, spanId } from "#test/fakes/kept-span.ts";

let collector: Collector;
beforeEach(async () => {
  collector = await startCollector();
});
afterEach(() => collector.stop());

const facts = { stage: "prod", service_version: "1.2.3" };
const never = new AbortController().signal;

function batch(...spans: SpanRecord[]): SpanBatch {
  const task = { tenant: "acme", task_id: "task_1" };
  return { service: "codegen", function_name: "stack-codegen", invocation: "1", groups: [{ task, spans }] };
}

function record(fields: Partial<SpanRecord> = {}): SpanRecord {
  const { invocation: _, ...span } = keptSpan("run", "root", [1_700_000_000_001, 1_700_000_000_003]);
  return { ...span, ...fields };
}

function sink(variables: Record<string, string> = {}) {
  const made = otlpSink(telemetry({ OTEL_EXPORTER_OTLP_ENDPOINT: collector.url, ...variables }), facts);
  if (!made) throw new Error("no sink");
  return made;
}

describe("spans sent to a collector", () => {
  it("arrive in OTLP's JSON form: hex ids, nanoseconds as text, kind and status as numbers", async () => {
    const attributes = { text: "x", flag: false, whole: 7, part: 0.5, huge: 2 ** 60 };
    const status = { code: "error", error_code: "SOME_FAULT", message: "it broke" } as const;
    const links = [{ trace_id: "b".repeat(32), span_id: spanId("other") }];
    const span = record({ kind: "consumer", attributes, status, links, tracestate: "a=1" });
    await sink().write(batch(span), never);
    expect(collector.requests[0]?.path).toBe("/v1/traces");
    expect(collector.requests[0]?.headers["content-type"]).toBe("application/json");
    expect(collector.spans()).toEqual([
      {
        traceId: FAKE_TRACE,
        spanId: spanId("run"),
        parentSpanId: spanId("root"),
        traceState: "a=1",
        flags: 1,
        name: "run",
        kind: 5,
        startTimeUnixNano: "1700000000001000000",
        endTimeUnixNano: "1700000000003000000",
        attributes: [
          { key: "text", value: { stringValue: "x" } },
          { key: "flag", value: { boolValue: false } },
          { key: "whole", value: { intValue: "7" } },
          { key: "part", value: { doubleValue: 0.5 } },
          { key: "huge", value: { doubleValue: 2 ** 60 } },
          { key: "agents.tenant", value: { stringValue: "acme" } },
          { key: "agents.task_id", value: { stringValue: "task_1" } },
        ],
        links: [{ traceId: "b".repeat(32), spanId: spanId("other") }],
        status: { code: 2, message: "SOME_FAULT: it broke" },
      },
    ]);
  });

  it("name the service, the deployment and what the operator adds", async () => {
    await sink({ OTEL_RESOURCE_ATTRIBUTES: "team=blue,cloud.region=mars" }).write(batch(record()), never);
    await sink({ OTEL_SERVICE_NAME: "mine" }).write(batch(record()), never);
    expect(collector.resources()).toMatchObject([
      {
        "service.name": "codegen",
        "service.version": "1.2.3",
        "deployment.environment.name": "prod",
        "cloud.platform": "aws_lambda",
        "cloud.region": "mars",
        team: "blue",
      },
      { "service.name": "mine" },
    ]);
  });

  it("carry the operator's headers, and are compressed when asked", async () => {
    const variables = {
      OTEL_EXPORTER_OTLP_HEADERS: "x-api-key=a%20secret",
      OTEL_EXPORTER_OTLP_COMPRESSION: "gzip",
    };
    await sink(variables).write(batch(record()), never);
    expect(collector.requests[0]?.headers).toMatchObject({
      "x-api-key": "a secret",
      "content-encoding": "gzip",
    });
    expect(collector.spans()).toHaveLength(1);
  });

  it("are an error to the caller when the collector refuses, is down or hangs until it is told to stop", async () => {
    collector.temper = "refuses";
    await expect(sink().write(batch(record()), never)).rejects.toThrow("answered 503");
    collector.temper = "hangs";
    const stop = new AbortController();
    const hanging = sink().write(batch(record()), stop.signal);
    stop.abort(new Error("enough"));
    await expect(hanging).rejects.toThrow("enough");
    const limited = sink({ OTEL_EXPORTER_OTLP_TIMEOUT: "50" }).write(batch(record()), never);
    await expect(limited).rejects.toThrow(/timeout/i);
    const down = sink();
    await collector.stop();
    await expect(down.write(batch(record()), never)).rejects.toThrow();
    collector = await startCollector();
  });
});
