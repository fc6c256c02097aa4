import type { Context } from "aws-lambda";
import { describe, expect, it } from "vitest";
import { defineApi } from "#lib/http/api/define-api.ts";
import type { HttpPlatform } from "#lib/http/platform.ts";
import { route } from "#lib/http/route.ts";
import { RejectedInput, TerminalFault } from "#lib/platform/errors/fault.ts";
import { countBuffer } from "#lib/platform/metrics/count-buffer.ts";
import { systemRuntime } from "#lib/platform/runtime/runtime.ts";
import { type FakeLogLine, fakeLog } from "#test/fakes/agent-context.ts";

const POLICY = { enabled: true, burst_requests: 1, requests_per_second: 1, body_bytes_max: 100 };

/** What a caller gets where the route does `run`. */
async function answerOf(run: () => unknown, { method = "GET", path = "/open" } = {}) {
  const lines: FakeLogLine[] = [];
  const platform = {
    runtime: systemRuntime,
    counts: countBuffer(systemRuntime),
    settings: { stage: "local", shard: "0", table_name: "secret-table" },
    table: { send: async () => ({}) },
    requestGate: { policyOf: () => POLICY, take: async () => ({ kind: "admitted", remaining: 1 }) },
    logOf: () => fakeLog(lines, {}),
  } as unknown as HttpPlatform;
  const open = route({
    access: "public",
    summary: "anything",
    answers: { 200: { says: "anything" } },
    run: async () => ({ status: 200, body: await run() }),
  });
  const handler = defineApi("gateway", { "GET /open": open }, () => platform);
  const event = {
    routeKey: "GET /open",
    rawPath: path,
    rawQueryString: "",
    headers: {},
    requestContext: { http: { method, path, sourceIp: "127.0.0.1" } },
  };
  const lambda = { functionName: "f", awsRequestId: "r", getRemainingTimeInMillis: () => 10_000 };
  const answer = await handler(event as never, lambda as unknown as Context, () => {});
  const { statusCode, headers, body } = answer as { statusCode: number; headers: object; body: string };
  return { status: statusCode, headers, body: JSON.parse(body), text: JSON.stringify(answer), lines };
}

const throwing = (what: unknown) => () => {
  throw what;
};
const circular: Record<string, unknown> = {};
circular.self = circular;
const nested = new Error("secret", { cause: new TypeError("secret cause at /srv/secret/lib/http/x.ts:1:2") });

describe("whatever a route throws", () => {
  it.each([
    ["an error with a stack and a cause", throwing(nested)],
    [
      "an error of AWS",
      throwing(Object.assign(new Error("secret-table"), { name: "ValidationException", $metadata: {} })),
    ],
    ["a fault of ours", throwing(new TerminalFault("BLOB_MISSING", "tenants/secret/blobs/x is not there"))],
    ["a text", throwing("secret")],
    ["nothing", throwing(undefined)],
    ["null", throwing(null)],
    ["an object without a prototype", throwing(Object.create(null))],
    ["an object whose text throws", throwing({ toString: throwing(new Error("secret")) })],
    ["a rejected promise", () => Promise.reject(new Error("secret"))],
    ["a body that is no JSON", () => 1n],
    ["a body that goes round", () => circular],
  ])("%s: the caller learns a code and a trace, the log the rest", async (_name, run) => {
    const { status, body, text, lines } = await answerOf(run);
    expect([status, body.code, body.title]).toEqual([500, "INTERNAL", "Internal Server Error"]);
    expect(Object.keys(body)).toEqual(["type", "title", "status", "code", "detail", "trace_id"]);
    expect(text).not.toMatch(/secret|stack|\.ts|BigInt|circular|BLOB/i);
    expect(lines.filter(({ code }) => code === "REQUEST_FAILED")).toHaveLength(1);
  });

  it("is told as it is when it is about what was sent", async () => {
    const { status, body } = await answerOf(throwing(new RejectedInput("DIFF_EMPTY", "The diff is empty.")));
    expect([status, body.code, body.detail]).toEqual([422, "DIFF_EMPTY", "The diff is empty."]);
  });
});

describe("every answer", () => {
  const guarded = {
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "no-referrer",
    "cache-control": "no-store",
    traceparent: expect.stringMatching(/^00-/),
  };

  it("carries the headers that keep a browser from making more of it", async () => {
    expect((await answerOf(() => "fine")).headers).toMatchObject(guarded);
    expect((await answerOf(throwing(nested))).headers).toMatchObject(guarded);
    expect((await answerOf(() => "x", { path: "/%zz" })).headers).toMatchObject(guarded);
  });

  it("is 405 to a method that came under another's name", async () => {
    const { status, body, headers } = await answerOf(() => "x", { method: "HEAD", path: "/api/tasks" });
    expect([status, body.code, headers]).toMatchObject([405, "METHOD_NOT_ALLOWED", { allow: "GET, POST" }]);
  });
});
