import { describe, expect, it } from "vitest";
import type { FunctionDeclaration } from "./expand-agents.ts";
import { guardRoutes } from "./guard-routes.ts";

const queue = { sqs: { arn: "arn" } };

function guarded(
  stage: string,
  functions: Record<string, FunctionDeclaration>,
  public_routes: string[] = [],
) {
  const custom = { public_routes, api_key_pepper: "pepper", webhook_secret_root: "root" };
  guardRoutes({ service: "agents", provider: { stage }, custom, functions });
  return functions;
}

describe("guardRoutes", () => {
  it("puts the authorizer before every route of a deployed stage", () => {
    const { gateway } = guarded("prod", { gateway: { events: [{ httpApi: "GET /api/tasks" }, queue] } });
    expect(gateway?.events).toEqual([
      { httpApi: { method: "GET", path: "/api/tasks", authorizer: { name: "credentials" } } },
      queue,
    ]);
  });

  it("leaves alone what is public, the catch-all, and the local stage", () => {
    const open = [{ httpApi: "GET /docs" }, { httpApi: "*" }];
    expect(guarded("prod", { gateway: { events: open } }, ["GET /docs"]).gateway?.events).toEqual(open);
    const closed = [{ httpApi: "GET /api/tasks" }];
    expect(guarded("local", { gateway: { events: closed } })).toEqual({ gateway: { events: closed } });
  });

  it("gives the pepper to the functions that judge credentials, and to no others", () => {
    const functions = guarded("prod", {
      gateway: { events: [{ httpApi: "GET /api/tasks" }], environment: { SERVICE: "gateway" } },
      retrieval: { events: [{ httpApi: "POST /api/query" }] },
      authorizer: {},
      sandbox: { events: [queue] },
    });
    expect(functions.gateway?.environment).toMatchObject({ SERVICE: "gateway", API_KEY_PEPPER: "pepper" });
    expect(functions.retrieval?.environment).toEqual({ API_KEY_PEPPER: "pepper" });
    expect(functions.authorizer?.environment).toEqual({ API_KEY_PEPPER: "pepper" });
    expect(functions.sandbox?.environment).toBeUndefined();
  });

  it("gives what webhooks' secrets follow from to the functions that make and use them, and to no others", () => {
    const functions = guarded("prod", {
      gateway: {},
      webhooks: { events: [queue] },
      retrieval: {},
      sandbox: {},
    });
    const given = Object.entries(functions).map(([name, { environment }]) => [name, environment]);
    expect(given).toEqual([
      ["gateway", { WEBHOOK_SECRET_ROOT: "root" }],
      ["webhooks", { WEBHOOK_SECRET_ROOT: "root" }],
      ["retrieval", undefined],
      ["sandbox", undefined],
    ]);
  });

  it("refuses a route it cannot read, instead of leaving it open", () => {
    const events = [{ httpApi: { method: "GET", path: "/api/tasks" } }];
    expect(() => guarded("prod", { gateway: { events } })).toThrow("write the route as text");
  });
});
