import { listAudit } from "#lib/http/audit/list-audit.ts";
import { type Route, route } from "#lib/http/route.ts";
import { PLATFORM_TENANT } from "#lib/platform/metrics/counters.ts";
import { AuditList } from "#schemas/http/audit-list.ts";
import { gatewayPorts } from "./dependencies.ts";
import { AuditQuery } from "./queries.ts";

/** The audit trail. */
export const auditRoutes: Record<string, Route> = {
  "GET /api/audit": route({
    access: "key",
    scope: "admin",
    summary: "Who did what, newest first",
    query: AuditQuery,
    answers: { 200: { says: "One page", schema: AuditList } },
    codes: { 400: ["CURSOR_INVALID"] },
    run: async ({ tenant, query: { trail, ...filter }, platform }) => ({
      status: 200,
      body: await listAudit(trail === "platform" ? PLATFORM_TENANT : tenant, filter, gatewayPorts(platform)),
    }),
  }),
};
