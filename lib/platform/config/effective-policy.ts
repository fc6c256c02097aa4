import type { RoutePoliciesConfig, RoutePolicy } from "#schemas/config/route-policies.ts";

export interface PolicyQuestion {
  stage: string;
  tenant: string;
  /** `GET /api/tasks/{id}` */
  route: string;
}

/**
 * What holds for one request: defaults, then the route, then the tenant, then the tenant on that
 * route; at each level the stage's own word comes last. Undefined for a route nobody has opened.
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
