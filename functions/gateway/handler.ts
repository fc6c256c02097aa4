import { defineApi, route } from "#lib/http/define-api.ts";
import { artifactRoutes } from "./artifact-routes.ts";
import { auditRoutes } from "./audit-routes.ts";
import { circuitRoutes } from "./circuit-routes.ts";
import { gatewayPorts } from "./dependencies.ts";
import { integrationStatus } from "./integration-status.ts";
import { keyRoutes } from "./key-routes.ts";
import { metricsSummary } from "./metrics-summary.ts";
import { policyRoutes } from "./policy-routes.ts";
import { taskRoutes } from "./task-routes.ts";
import { webhookRoutes } from "./webhook-routes.ts";

/** Every route of the HTTP API but `POST /api/query`. */
export const handler = defineApi("gateway", {
  ...taskRoutes,
  ...artifactRoutes,
  ...policyRoutes,
  ...circuitRoutes,
  ...keyRoutes,
  ...auditRoutes,
  ...webhookRoutes,
  "GET /api/metrics/summary": route({
    access: "key-or-local",
    scope: "read",
    run: async ({ tenant, platform }) => ({
      status: 200,
      body: await metricsSummary(tenant, gatewayPorts(platform)),
    }),
  }),
  "GET /api/integration/status": route({
    access: "key",
    scope: "operate",
    run: async ({ platform }) => {
      const status = await integrationStatus(gatewayPorts(platform));
      return { status: status.ok ? 200 : 503, body: status };
    },
  }),
});
