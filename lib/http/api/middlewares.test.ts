import middy from "@middy/core";
import { describe, expect, it } from "vitest";
import { z } from "zod";
import { answerHeaders } from "#lib/http/api/answer-headers.ts";
import { type ApiAnswer, type ApiCall, type ApiMiddleware, beginCall } from "#lib/http/api/api-call.ts";
import { applyPolicy } from "#lib/http/api/apply-policy.ts";
import { authenticateCaller } from "#lib/http/api/authenticate.ts";
import { callRoute, parseRequest } from "#lib/http/api/call-route.ts";
import { countAnswers } from "#lib/http/api/count-answers.ts";
import { findRoute } from "#lib/http/api/find-route.ts";
import { problemDetails } from "#lib/http/api/problem.ts";
import { traceRequest } from "#lib/http/api/trace-request.ts";
import { type Route, route } from "#lib/http/route.ts";
import { ParkedFault, RejectedInput } from "#lib/platform/errors/fault.ts";
import { HttpError } from "#lib/platform/errors/http-error.ts";
import { systemRuntime } from "#lib/platform/runtime/runtime.ts";
import { startSpan } from "#lib/platform/trace/span.ts";
import { invocationPorts, LAMBDA } from "#test/fakes/lambda-invocation.ts";

const POLICY = { enabled: true, burst_requests: 1, requests_per_second: 1, body_bytes_max: 100 };
const answers = { 200: { says: "anything" } };
const open: Route = route({
  access: "public",
  summary: "x",
  answers,
  body: z.strictObject({ name: z.string() }),
  query: z.strictObject({ page: z.string().optional() }),
  run: async ({ body, query, tenant }) => ({ status: 200, body: { body, query, tenant } }),
});
const local: Route = route({
  access: "key-or-local",
  scope: "read",
  summary: "x",
  answers,
  run: async () => ({ status: 200 }),
});

/** A request in a world with one policy for every route. */
function request(
  event: Record<string, unknown> = {},
  {
    policy = POLICY,
    decision = { kind: "admitted", remaining: 1 },
  }: { policy?: object | undefined; decision?: object } = {},
) {
  const world = invocationPorts();
  const gate = { policyOf: () => policy, take: async () => decision };
  const call = beginCall(
    "gateway",
    {
      routeKey: "POST /open",
      rawPath: "/open",
      rawQueryString: "",
      headers: { "Content-Type": "application/json", Host: "localhost:3001" },
      body: '{"name":"x"}',
      isBase64Encoded: false,
      requestContext: { http: { method: "POST", path: "/open", sourceIp: "127.0.0.1" } },
      ...event,
    } as never,
    LAMBDA,
    { ...world.ports, requestGate: gate } as never,
  );
  return { ...world, call };
}

/** One request through this one middleware. */
function pass(
  call: ApiCall,
  middleware: ApiMiddleware,
  work: (call: ApiCall) => ApiAnswer | Promise<ApiAnswer> = () => ({ statusCode: 200 }),
) {
  const stack = middy<ApiCall, ApiAnswer>({ timeoutEarlyInMillis: 0 })
    .use(middleware)
    .handler(async (event: ApiCall) => work(event));
  return stack(call, LAMBDA as never);
}

const throwing = (error: unknown) => () => {
  throw error;
};
const counted = ({ counters }: ApiCall) =>
  Object.fromEntries(counters.entries().map(({ metric, tenant, amount }) => [`${metric} ${tenant}`, amount]));

describe("traceRequest", () => {
  const traceparent = `00-${"a".repeat(32)}-${"b".repeat(16)}-01`;

  it("records the request below the caller's span, with the answer's status, and logs the trace id", async () => {
    const { call, batches, lines } = request({ headers: { Traceparent: traceparent } });
    await pass(call, traceRequest(), ({ log }) => {
      log.info("TASK_ACCEPTED", "x");
      return { statusCode: 201 };
    });
    await call.spans.flush(60_000);
    expect(batches[0]?.groups[0]?.spans).toMatchObject([
      {
        trace_id: "a".repeat(32),
        parent_span_id: "b".repeat(16),
        attributes: { "http.response.status_code": 201 },
      },
    ]);
    expect(lines[0]?.fields).toMatchObject({ trace_id: "a".repeat(32), route: "POST /open" });
  });

  it("ends the span with status 500 when nobody answered", async () => {
    const { call, batches } = request();
    await expect(pass(call, traceRequest(), throwing(new Error("no")))).rejects.toThrow("no");
    await call.spans.flush(60_000);
    expect(batches[0]?.groups[0]?.spans[0]?.attributes["http.response.status_code"]).toBe(500);
  });
});

describe("countAnswers", () => {
  it.each([
    [200, { "http_2xx acme": 1 }],
    [404, { "http_4xx acme": 1 }],
    [401, { "http_4xx acme": 1, "authentication_failed _platform": 1 }],
  ])("counts an answer %i and its duration under the tenant", async (statusCode, expected) => {
    const { call } = request();
    await pass(Object.assign(call, { tenant: "acme" }), countAnswers(), () => ({ statusCode }));
    expect(counted(call)).toMatchObject({ ...expected, "http_count acme": 1 });
  });
});

describe("answerHeaders", () => {
  it("adds those of security, of the rate limit and of the trace; the route's own word comes last", async () => {
    const { call } = request();
    const trace = startSpan(undefined, { name: "x" }, systemRuntime);
    Object.assign(call, { trace, admission: { headers: { ratelimit: "r=1" } } });
    const { headers } = await pass(call, answerHeaders(), () => ({
      headers: { "cache-control": "max-age=1" },
    }));
    expect(headers).toMatchObject({
      "x-frame-options": "DENY",
      ratelimit: "r=1",
      "cache-control": "max-age=1",
      traceparent: expect.stringContaining(trace.trace_id),
    });
  });

  it("lets pages of an origin that the policy names read the answer, and no others", async () => {
    const policy = { ...POLICY, cors_origins: ["https://a.example"] };
    const allowed = async (origin: string) => {
      const { call } = request({ headers: { origin } }, { policy });
      return (await pass(call, answerHeaders())).headers?.["access-control-allow-origin"];
    };
    expect(await allowed("https://a.example")).toBe("https://a.example");
    expect(await allowed("https://b.example")).toBeUndefined();
  });
});

describe("problemDetails", () => {
  it.each([
    ["an HttpError", new HttpError("TASK_NOT_FOUND", "no"), 404, "TASK_NOT_FOUND"],
    ["a rejected input", new RejectedInput("DIFF_EMPTY", "no"), 422, "DIFF_EMPTY"],
    ["a record of a later version", new ParkedFault("RECORD_NEWER", "no"), 503, "RECORD_NEWER"],
    ["another fault", new ParkedFault("CIRCUIT_OPEN", "secret"), 500, "INTERNAL"],
    ["anything else", new TypeError("secret"), 500, "INTERNAL"],
    ["undefined", undefined, 500, "INTERNAL"],
  ])("answers %s with problem+json", async (_name, error, status, code) => {
    const { statusCode, headers, body } = await pass(request().call, problemDetails(), throwing(error));
    expect([statusCode, headers?.["content-type"]]).toEqual([status, "application/problem+json"]);
    expect(JSON.parse(body ?? "")).toMatchObject({ status, code });
    expect(body).not.toContain("secret");
  });

  it("leaves an answer as it is", async () => {
    expect(await pass(request().call, problemDetails())).toEqual({ statusCode: 200 });
  });
});

describe("findRoute", () => {
  const routes = { "POST /open": open };

  it("finds the declared route, and none for another key or for a method under another's name", async () => {
    const found = async (event: Record<string, unknown>) => {
      const { call } = request(event);
      await pass(call, findRoute(routes));
      return call.route;
    };
    expect(await found({})).toBe(open);
    expect(await found({ routeKey: "GET /other" })).toBeUndefined();
    expect(await found({ routeKey: "toString" })).toBeUndefined();
    const head = { http: { method: "HEAD", path: "/open", sourceIp: "127.0.0.1" } };
    expect(await found({ requestContext: head })).toBeUndefined();
  });

  it("refuses a URL that is not UTF-8", async () => {
    await expect(pass(request({ rawPath: "/%zz" }).call, findRoute(routes))).rejects.toMatchObject({
      code: "URL_MALFORMED",
    });
  });
});

describe("authenticateCaller", () => {
  const asking = (route: Route | undefined, event: Record<string, unknown> = {}) => {
    const { call } = request(event);
    return Object.assign(call, { route });
  };

  it("asks for nothing on a public route, and where no route takes the request", async () => {
    for (const route of [open, undefined]) {
      const call = asking(route);
      await pass(call, authenticateCaller());
      expect([call.identity, call.tenant]).toEqual([undefined, "unknown"]);
    }
  });

  it("knows a caller on loopback where the route lets it, and no caller from elsewhere", async () => {
    const call = asking(local);
    await pass(call, authenticateCaller());
    expect([call.identity?.subject, call.tenant]).toEqual(["local", "local"]);
    const elsewhere = { http: { method: "POST", path: "/open", sourceIp: "203.0.113.1" } };
    await expect(
      pass(asking(local, { requestContext: elsewhere }), authenticateCaller()),
    ).rejects.toMatchObject({
      status: 401,
    });
  });

  it("refuses a caller that lacks the route's scope", async () => {
    const admin = route({
      access: "key-or-local",
      scope: "admin",
      summary: "x",
      answers,
      run: async () => ({ status: 200 }),
    });
    await expect(pass(asking(admin), authenticateCaller())).rejects.toMatchObject({ code: "SCOPE_MISSING" });
  });
});

describe("applyPolicy", () => {
  it("keeps the policy and tells what is left of the rate limit", async () => {
    const { call } = request();
    await pass(Object.assign(call, { route: open }), applyPolicy());
    expect(call.admission?.policy).toBe(POLICY);
    expect(Object.keys(call.admission?.headers ?? {})).toContain("ratelimit");
  });

  it("closes a route without a policy, and asks nothing where no route takes the request", async () => {
    const world = { policy: undefined, decision: {} };
    const { call } = request();
    call.platform = {
      ...call.platform,
      requestGate: { policyOf: () => world.policy, take: throwing(0) } as never,
    };
    await pass(call, applyPolicy());
    expect(call.admission).toBeUndefined();
    call.route = open;
    await expect(pass(call, applyPolicy())).rejects.toMatchObject({ code: "ROUTE_CLOSED" });
  });
});

describe("parseRequest and callRoute", () => {
  const ready = (event: Record<string, unknown> = {}) => {
    const { call } = request(event);
    const trace = startSpan(undefined, { name: "x" }, systemRuntime);
    return Object.assign(call, { route: open, trace, admission: { policy: POLICY, headers: {} } }) as ApiCall;
  };

  it("gives the route what its schemas made of the request, and answers in JSON", async () => {
    const answer = await pass(ready({ rawQueryString: "page=2" }), parseRequest(), callRoute);
    expect(answer.headers).toEqual({ "content-type": "application/json" });
    expect(JSON.parse(answer.body ?? "")).toEqual({
      body: { name: "x" },
      query: { page: "2" },
      tenant: "unknown",
    });
  });

  it.each([
    [{ body: '{"name":1}' }, "BODY_INVALID"],
    [{ body: "x" }, "BODY_NOT_JSON"],
    [{ rawQueryString: "other=1" }, "QUERY_INVALID"],
  ])("refuses %j", async (event, code) => {
    await expect(pass(ready(event), parseRequest(), callRoute)).rejects.toMatchObject({ code });
  });

  it("answers a request that no route takes, and names a middleware that is not in the stack", async () => {
    await expect(callRoute(request().call)).rejects.toMatchObject({ code: "ROUTE_UNKNOWN" });
    await expect(callRoute(ready())).rejects.toThrow("the stack lacks parseRequest");
  });
});
