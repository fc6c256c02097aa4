import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Problem } from "#schemas/http/task-view.ts";
import { configsDirectory } from "#test/fakes/configs-directory.ts";
import { type ApiClient, tenantClient } from "./client.ts";
import { tinySource } from "./example.ts";
import { testStack } from "./test-stack.ts";

const configs = configsDirectory();
const route = "GET /api/policies";
configs.writePolicies({
  ...configs.shipped,
  tenants: {
    slow: { routes: { [route]: { requests_per_second: 0.05, burst_requests: 5 } } },
    daily: { routes: { [route]: { requests_per_day_max: 3 } } },
    small: { every_route: { body_bytes_max: 100 } },
    tied: { routes: { "POST /api/tasks": { workflows: ["index"], profiles: ["standard"] } } },
    shut: { every_route: { enabled: false } },
  },
});

afterAll(configs.remove);
const { stack, api } = testStack(() => ({ env: { CONFIG_DIRECTORY: configs.directory } }));
const clients = new Map<string, ApiClient>();
beforeAll(async () => {
  for (const tenant of ["slow", "daily", "small", "tied", "shut", "quiet"]) {
    clients.set(tenant, await tenantClient(stack.url, stack.data_dir, tenant));
  }
});
const ask = (tenant: string, path = "/api/policies") => clients.get(tenant)!.request<Problem>("GET", path);
const run = { workflow: "run", source: tinySource(true), command: "true" };

describe("a tenant that asks too often", () => {
  it("is served its burst, at once and whole, and then told when to come back", async () => {
    const answers = await Promise.all(Array.from({ length: 8 }, () => ask("slow")));
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(5);
    const refused = answers.find(({ status }) => status === 429)!;
    expect(refused.body).toMatchObject({ code: "RATE_LIMITED", status: 429 });
    expect(refused.body.trace_id).toMatch(/^[0-9a-f]{32}$/);
    expect(refused.headers.get("content-type")).toBe("application/problem+json");
    const retry_after = Number(refused.headers.get("retry-after"));
    expect(retry_after).toBeGreaterThan(10);
    expect(retry_after).toBeLessThanOrEqual(21);
    expect(refused.headers.get("ratelimit")).toBe(`"rate";r=0;t=${retry_after}`);
    expect(refused.headers.get("ratelimit-policy")).toBe('"rate";q=5;w=100');
    expect(refused.body.detail).toContain("0.05 requests a second");
  });

  it("takes nothing from another tenant, or from its own other routes", async () => {
    const answer = await ask("quiet");
    expect(answer.status).toBe(200);
    expect(answer.headers.get("ratelimit")).toMatch(/^"rate";r=\d+;t=1$/);
    expect((await ask("slow", "/api/tasks")).status).toBe(200);
  });

  it("is told when its day is spent, and what is left before", async () => {
    const first = await ask("daily");
    expect(first.headers.get("ratelimit-policy")).toContain('"day";q=3;w=86400');
    expect(first.headers.get("ratelimit")).toMatch(/"day";r=2;t=\d+$/);
    await Promise.all([ask("daily"), ask("daily")]);
    const refused = await ask("daily");
    expect(refused.body).toMatchObject({ status: 429, code: "QUOTA_SPENT" });
    expect(Number(refused.headers.get("retry-after"))).toBeLessThanOrEqual(86_400);
  });
});

describe("a tenant's policy", () => {
  it("bounds the body, and only where it is too large", async () => {
    const { status, body } = await clients.get("small")!.request<Problem>("POST", "/api/tasks", run);
    expect([status, body.code]).toEqual([413, "BODY_TOO_LARGE"]);
    expect(body.detail).toContain("100 is the limit of this route");
    const accepted = await clients.get("quiet")!.request("POST", "/api/tasks", run);
    expect(accepted.status).toBe(202);
  });

  it("bounds workflows and profiles", async () => {
    const tied = clients.get("tied")!;
    expect(await tied.refused(run)).toMatchObject({ status: 403, code: "WORKFLOW_NOT_ALLOWED" });
    const index = { workflow: "index", source: tinySource(true) };
    const other = { ...index, profile: "other" };
    expect(await tied.refused(other)).toMatchObject({ status: 403, code: "PROFILE_NOT_ALLOWED" });
    expect((await tied.request("POST", "/api/tasks", index)).status).toBe(202);
  });

  it("closes all routes to it, and to nobody else", async () => {
    expect(await ask("shut")).toMatchObject({ status: 403, body: { code: "ROUTE_CLOSED" } });
    expect((await ask("quiet")).status).toBe(200);
  });

  it("does not tell a stranger what is open", async () => {
    expect((await fetch(`${stack.url}/api/policies`)).status).toBe(401);
    expect((await api.request("GET", "/api/nothing")).status).toBe(404);
  });
});
