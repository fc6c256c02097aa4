import type { RoutePoliciesConfig, RoutePolicy } from "#schemas/config/route-policies.ts";

export interface PolicyQuestion {
  stage: string;
  tenant: string;
  /** `GET /api/tasks/{id}` */
  route: string;
}

/**
 * The policy in force for one request: defaults, overridden by the route, then the tenant, then the tenant on that
 * route. At each level the stage's own values override. Undefined for a route that no policy opens.
 */
export function effectivePolicy(
  config: RoutePoliciesConfig,
  { stage, tenant, route }: PolicyQuestion,
): RoutePolicy | undefined {
  const overlay = own(config.stages, stage);
  const opened = own(config.routes, route);
  if (!opened) return undefined;
  const [base_tenant, stage_tenant] = [own(config.tenants, tenant), own(overlay?.tenants, tenant)];
  return {
    ...config.defaults,
    ...overlay?.defaults,
    ...opened,
    ...own(overlay?.routes, route),
    ...base_tenant?.every_route,
    ...stage_tenant?.every_route,
    ...own(base_tenant?.routes, route),
    ...own(stage_tenant?.routes, route),
  };
}

function own<Value>(map: Record<string, Value> | undefined, name: string): Value | undefined {
  return map && Object.hasOwn(map, name) ? map[name] : undefined;
}

const NOBODY = "";

/** Checks of route policies beyond their schema. Returns one sentence for each fault. */
export function routePolicyFaults(config: RoutePoliciesConfig): string[] {
  return [...unopenedRoutes(config), ...tenantsWithOrigins(config), ...tooManyShards(config)];
}

/** Routes that are named for a tenant or a stage but not opened in `routes`: probably a typing mistake. */
function unopenedRoutes(config: RoutePoliciesConfig): string[] {
  const places: [string, object | undefined][] = [];
  const tenants = (path: string, map: RoutePoliciesConfig["tenants"] | undefined) => {
    for (const [tenant, { routes }] of Object.entries(map ?? {})) {
      places.push([`${path}/${tenant}/routes`, routes]);
    }
  };
  tenants("/tenants", config.tenants);
  for (const [stage, overlay] of Object.entries(config.stages)) {
    places.push([`/stages/${stage}/routes`, overlay.routes]);
    tenants(`/stages/${stage}/tenants`, overlay.tenants);
  }
  return places.flatMap(([path, routes]) =>
    Object.keys(routes ?? {})
      .filter((route) => !Object.hasOwn(config.routes, route))
      .map((route) => `${path} names ${route}, which /routes does not open`),
  );
}

/** A browser asks before it says who asks, so an origin cannot be let in for one tenant. */
function tenantsWithOrigins(config: RoutePoliciesConfig): string[] {
  const places: [string, RoutePoliciesConfig["tenants"]][] = [["", config.tenants]];
  for (const [stage, { tenants = {} }] of Object.entries(config.stages)) {
    places.push([`/stages/${stage}`, tenants]);
  }
  return places.flatMap(([path, tenants]) =>
    Object.entries(tenants)
      .filter(([, { every_route, routes = {} }]) =>
        [every_route, ...Object.values(routes)].some((change) => change?.cors_origins !== undefined),
      )
      .map(
        ([tenant]) =>
          `${path}/tenants/${tenant} names cors_origins: they count for a route, not for a tenant`,
      ),
  );
}

/** Each shard needs a request of the burst for itself. */
function tooManyShards(config: RoutePoliciesConfig): string[] {
  const stages = ["", ...Object.keys(config.stages)];
  const named = [config, ...Object.values(config.stages)].flatMap(({ tenants }) =>
    Object.keys(tenants ?? {}),
  );
  const tenants = [NOBODY, ...new Set(named)];
  const faults = stages.flatMap((stage) =>
    Object.keys(config.routes).flatMap((route) =>
      tenants.flatMap((tenant) => {
        const policy = effectivePolicy(config, { stage, tenant, route });
        if (!policy || policy.shards <= policy.burst_requests) return [];
        return [
          `/routes/${route}${tenant && ` for tenant ${tenant}`}${stage && ` on stage ${stage}`}: ${policy.shards} shards share a burst of ${policy.burst_requests}; give each one request at least`,
        ];
      }),
    ),
  );
  return [...new Set(faults)];
}
