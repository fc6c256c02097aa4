import { describe, expect, it } from "vitest";
import { admitRequest, type RequestGate, requestGate } from "#lib/http/policy/admit-request.ts";
import type { HttpError } from "#lib/platform/errors/http-error.ts";
import { makeCounters } from "#lib/platform/metrics/counters.ts";
import type { RateDecision } from "#lib/resilience/rate-limit/bucket.ts";
import type { RoutePoliciesConfig, RoutePolicy } from "#schemas/config/route-policies.ts";
import { fakeAgentContext } from "#test/fakes/agent-context.ts";

const policy: RoutePolicy = {
  enabled: true,
  requests_per_second: 1,
  burst_requests: 2,
  requests_per_day_max: 9,
  shards: 1,
  on_limiter_failure: "closed",
  body_bytes_max: 10,
  workflows: null,
  profiles: null,
};
const route = "POST /api/tasks";

function admit(
  decision: RateDecision,
  { said = policy as RoutePolicy | null, body = "", encoded = false } = {},
) {
  const gate: RequestGate = { policyOf: () => said ?? undefined, take: async () => decision };
  const counters = makeCounters();
  const event = { routeKey: route, body, isBase64Encoded: encoded };
  const request = { tenant: "acme", event, log: fakeAgentContext().context.log, counters };
  return { counters, answer: admitRequest(request, { requestGate: gate }) };
}
const admitted: RateDecision = { kind: "admitted", remaining: 1 };
const refusal = (answer: Promise<unknown>) =>
  answer.then(
    () => undefined,
    (error: HttpError) => error,
  );

describe("admitting a request", () => {
  it("gives the policy and what is left", async () => {
    const { policy: said, headers } = await admit(admitted, { body: "1234567890" }).answer;
    expect(said).toBe(policy);
    expect(headers.ratelimit).toBe('"rate";r=1;t=1');
  });

  it("refuses where nobody opened the route, where it is closed, and where nothing is known of policies", async () => {
    const closed = { status: 403, code: "ROUTE_CLOSED" };
    expect(await refusal(admit(admitted, { said: null }).answer)).toMatchObject(closed);
    expect(await refusal(admit(admitted, { said: { ...policy, enabled: false } }).answer)).toMatchObject(
      closed,
    );
    const event = { routeKey: route, body: "", isBase64Encoded: false };
    const request = { tenant: "acme", event, log: fakeAgentContext().context.log, counters: makeCounters() };
    expect(await refusal(admitRequest(request, {}))).toMatchObject(closed);
  });

  it.each([
    ["rate", "RATE_LIMITED"],
    ["day", "QUOTA_SPENT"],
  ] as const)("refuses when the %s is spent, counts it, and says when to come back", async (reason, code) => {
    const { counters, answer } = admit({ kind: "refused", reason, retry_after_seconds: 7 });
    const error = await refusal(answer);
    expect(error).toMatchObject({ status: 429, code, headers: { "retry-after": "7" } });
    expect(error?.message).toContain("try again in 7 s");
    expect(counters.entries()).toEqual([{ metric: "rate_limited", tenant: "acme", amount: 1 }]);
  });

  it("refuses a body by its bytes, not by how they are written", async () => {
    const large = { status: 413, code: "BODY_TOO_LARGE" };
    expect(await refusal(admit(admitted, { body: "éééééé" }).answer)).toMatchObject(large);
    const body = Buffer.from("1234567890").toString("base64");
    expect(await refusal(admit(admitted, { body, encoded: true }).answer)).toBeUndefined();
    expect(await refusal(admit(admitted, { body: `${body}MTI=`, encoded: true }).answer)).toBeDefined();
  });
});

describe("while the table does not answer", () => {
  const broken = { send: () => Promise.reject(new Error("no answer")) } as never;
  const gateOf = (on_limiter_failure: "open" | "closed") => {
    const config = {
      defaults: { ...policy, on_limiter_failure },
      routes: { [route]: {} },
      tenants: {},
      stages: {},
    };
    return requestGate({
      routePolicies: () => ({ value: config as unknown as RoutePoliciesConfig, hash: "" }),
      stage: "test",
      table: broken,
      table_name: "table",
      runtime: { now: () => 1_000_000, sleep: () => new Promise(() => undefined), random: () => 0 },
    });
  };
  const ask = (gate: RequestGate) => {
    const { context, lines } = fakeAgentContext();
    const event = { routeKey: route, body: "", isBase64Encoded: false };
    const request = { tenant: "acme", event, log: context.log, counters: makeCounters() };
    return { lines, answer: refusal(admitRequest(request, { requestGate: gate })) };
  };

  it("an open route admits its rate in each environment, and says so in the log", async () => {
    const gate = gateOf("open");
    const first = ask(gate);
    expect(await first.answer).toBeUndefined();
    expect(first.lines.map(({ code }) => code)).toEqual(["RATE_LIMIT_OUTAGE"]);
    expect(await ask(gate).answer).toBeUndefined();
    expect(await ask(gate).answer).toMatchObject({ status: 429, code: "RATE_LIMITED" });
  });

  it("a closed route answers 503", async () => {
    expect(await ask(gateOf("closed")).answer).toMatchObject({
      status: 503,
      code: "RATE_LIMIT_UNAVAILABLE",
      headers: { "retry-after": "1" },
    });
  });
});
