import { effectivePolicy } from "#lib/platform/config/effective-policy.ts";
import type { RoutePoliciesConfig } from "#schemas/config/route-policies.ts";

const NOBODY = "";

/** What the schema alone cannot say of the file: a sentence a fault. */
export function routePolicyFaults(config: RoutePoliciesConfig): string[] {
  return [...unopenedRoutes(config), ...tenantsWithOrigins(config), ...tooManyShards(config)];
}

/** A route that is named for a tenant or a stage and is not opened is a slip of the pen. */
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
