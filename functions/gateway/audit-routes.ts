import { listAudit } from "#lib/audit/list-audit.ts";
import { type Route, route } from "#lib/http/define-api.ts";
import { PLATFORM_TENANT } from "#lib/metrics/counters.ts";
import { gatewayPorts } from "./dependencies.ts";
import { AuditQuery } from "./queries.ts";

/** Who did what. */
export const auditRoutes: Record<string, Route> = {
  "GET /api/audit": route({
    access: "key",
    scope: "admin",
    query: AuditQuery,
    run: async ({ tenant, query: { trail, ...filter }, platform }) => ({
      status: 200,
      body: await listAudit(trail === "platform" ? PLATFORM_TENANT : tenant, filter, gatewayPorts(platform)),
    }),
  }),
};
