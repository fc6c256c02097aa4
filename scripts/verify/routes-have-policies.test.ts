import { describe, expect, it } from "vitest";
import { memoryTree } from "../tree/memory-tree.ts";
import { serverless } from "./fixture.ts";
import { routesHavePolicies } from "./routes-have-policies.ts";

const http = serverless(
  "    events:\n",
  '    events:\n      - httpApi: GET /api/tasks\n      - httpApi: { method: post, path: /api/tasks }\n      - httpApi: "*"\n',
);
const policies = (...routes: string[]) =>
  JSON.stringify({
    $schema: "x",
    defaults: {
      enabled: true,
      requests_per_second: 1,
      burst_requests: 1,
      requests_per_day_max: null,
      shards: 1,
      on_limiter_failure: "open",
      body_bytes_max: 0,
      workflows: null,
      profiles: null,
    },
    routes: Object.fromEntries(routes.map((route) => [route, {}])),
    tenants: {},
    stages: {},
  });
const check = (text: string) =>
  routesHavePolicies.check(memoryTree({ "serverless.yml": http, "configs/route_policies.json": text }));

describe("routes-have-policies", () => {
  it("accepts a policy for each route, however the route is written", () => {
    expect(check(policies("GET /api/tasks", "POST /api/tasks"))).toEqual([]);
  });

  it("rejects a route without a policy, a policy without a route, and no policies at all", () => {
    expect(check(policies("GET /api/tasks"))).toEqual([
      expect.stringContaining("POST /api/tasks is closed: give it a policy"),
    ]);
    expect(check(policies("GET /api/tasks", "POST /api/tasks", "GET /api/task"))).toEqual([
      expect.stringContaining("there is no route GET /api/task "),
    ]);
    expect(routesHavePolicies.check(memoryTree({ "serverless.yml": http }))).toEqual([
      expect.stringContaining("configs/route_policies.json is missing"),
    ]);
  });

  it("asks nothing of a service without HTTP", () => {
    expect(
      routesHavePolicies.check(memoryTree({ "serverless.yml": serverless("greeter", "greeter") })),
    ).toEqual([]);
  });
});
