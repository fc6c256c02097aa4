import { describe, expect, it } from "vitest";
import { guardRoutes } from "./guard-routes.ts";

const queue = { sqs: { arn: "arn" } };
const service = (stage: string, events: unknown[], public_routes: string[] = []) => ({
  service: "agents",
  provider: { stage },
  custom: { public_routes },
  functions: { gateway: { events } },
});

describe("guardRoutes", () => {
  it("puts the authorizer before every route of a deployed stage", () => {
    const declared = service("prod", [{ httpApi: "GET /api/tasks" }, queue]);
    guardRoutes(declared);
    expect(declared.functions.gateway.events).toEqual([
      { httpApi: { method: "GET", path: "/api/tasks", authorizer: { name: "credentials" } } },
      queue,
    ]);
  });

  it("leaves alone what is public, the catch-all, and the local stage", () => {
    const open = [{ httpApi: "GET /docs" }, { httpApi: "*" }];
    const declared = service("prod", open, ["GET /docs"]);
    guardRoutes(declared);
    expect(declared.functions.gateway.events).toEqual(open);
    const local = service("local", [{ httpApi: "GET /api/tasks" }]);
    guardRoutes(local);
    expect(local.functions.gateway.events).toEqual([{ httpApi: "GET /api/tasks" }]);
  });

  it("refuses a route it cannot read, instead of leaving it open", () => {
    const declared = service("prod", [{ httpApi: { method: "GET", path: "/api/tasks" } }]);
    expect(() => guardRoutes(declared)).toThrow("write the route as text");
  });
});
