import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { effectivePolicy, routePolicyFaults } from "#lib/platform/config/route-policies.ts";
import { RoutePoliciesConfig } from "#schemas/config/route-policies.ts";

const shipped = RoutePoliciesConfig.parse(JSON.parse(readFileSync("configs/route_policies.json", "utf8")));
const route = "GET /api/tasks";
const question = { stage: "prod", tenant: "acme", route };

/** One route, with what is said at each level. */
function policies(fields: Partial<RoutePoliciesConfig> = {}): RoutePoliciesConfig {
  return { ...shipped, routes: { [route]: {} }, tenants: {}, stages: {}, ...fields };
}
const rate = (config: RoutePoliciesConfig, asked = question) =>
  effectivePolicy(config, asked)?.requests_per_second;

describe("the policy that holds for a request", () => {
  it("is the default for a route that is named, and none for another", () => {
    expect(effectivePolicy(policies(), question)).toEqual(shipped.defaults);
    expect(effectivePolicy(policies(), { ...question, route: "GET /api/other" })).toBeUndefined();
    expect(effectivePolicy(policies(), { ...question, route: "toString" })).toBeUndefined();
  });

  it("goes from the general to the special, the stage last at each level", () => {
    const levels: Partial<RoutePoliciesConfig>[] = [
      { defaults: { ...shipped.defaults, requests_per_second: 1 } },
      { stages: { prod: { defaults: { requests_per_second: 2 } } } },
      { routes: { [route]: { requests_per_second: 3 } } },
      { stages: { prod: { routes: { [route]: { requests_per_second: 4 } } } } },
      { tenants: { acme: { every_route: { requests_per_second: 5 } } } },
      { tenants: { acme: { routes: { [route]: { requests_per_second: 6 } } } } },
      { stages: { prod: { tenants: { acme: { routes: { [route]: { requests_per_second: 7 } } } } } } },
    ];
    let said: Partial<RoutePoliciesConfig> = {};
    levels.forEach((level, index) => {
      const { stages, tenants, ...rest } = level;
      said = {
        ...said,
        ...rest,
        stages: { prod: { ...said.stages?.prod, ...stages?.prod } },
        tenants: { acme: { ...said.tenants?.acme, ...tenants?.acme } },
      };
      expect(rate(policies(said))).toBe(index + 1);
    });
    expect(rate(policies(said), { ...question, tenant: "rival" })).toBe(4);
    expect(rate(policies(said), { ...question, stage: "test", tenant: "rival" })).toBe(3);
  });

  it("may be closed for one tenant alone", () => {
    const config = policies({ tenants: { acme: { every_route: { enabled: false } } } });
    expect(effectivePolicy(config, question)?.enabled).toBe(false);
    expect(effectivePolicy(config, { ...question, tenant: "rival" })?.enabled).toBe(true);
  });
});

describe("what is wrong with a file of policies", () => {
  it("is nothing for the one shipped", () => {
    expect(routePolicyFaults(shipped)).toEqual([]);
  });

  it("is a tenant's or a stage's route that is not opened", () => {
    const typo = { "GET /api/task": {} };
    const config = policies({
      tenants: { acme: { routes: typo } },
      stages: { prod: { routes: typo, tenants: { acme: { routes: typo } } } },
    });
    expect(routePolicyFaults(config).map((fault) => fault.split(" ")[0])).toEqual([
      "/tenants/acme/routes",
      "/stages/prod/routes",
      "/stages/prod/tenants/acme/routes",
    ]);
  });

  it("is a shard without a request of its own", () => {
    const config = policies({ tenants: { acme: { every_route: { shards: 8, burst_requests: 7 } } } });
    expect(routePolicyFaults(config)).toEqual([expect.stringContaining("for tenant acme: 8 shards")]);
  });

  it("finds origins that are let in for one tenant, which no browser can ask for", () => {
    const cors_origins = ["https://console.example"];
    const tenants = { acme: { every_route: { cors_origins } }, other: { every_route: {} } };
    const config = {
      ...shipped,
      tenants,
      stages: { prod: { tenants: { acme: { routes: { "GET /api/tasks": { cors_origins } } } } } },
    };
    expect(routePolicyFaults(config).map((fault) => fault.split(" ")[0])).toEqual([
      "/tenants/acme",
      "/stages/prod/tenants/acme",
    ]);
  });
});
