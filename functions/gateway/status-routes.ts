import { type Route, route } from "#lib/http/route.ts";
import { IntegrationStatus } from "#schemas/http/integration-status.ts";
import { MetricsSummary } from "#schemas/http/metrics-summary.ts";
import { gatewayPorts } from "./dependencies.ts";
import { integrationStatus } from "./integration-status.ts";
import { metricsSummary } from "./metrics-summary.ts";

/** How the platform does. */
export const statusRoutes: Record<string, Route> = {
  "GET /api/metrics/summary": route({
    access: "key-or-local",
    scope: "read",
    summary: "What the tenant's work came to, by service",
    answers: { 200: { says: "Totals since the table was made", schema: MetricsSummary } },
    run: async ({ tenant, platform }) => ({
      status: 200,
      body: await metricsSummary(tenant, gatewayPorts(platform)),
    }),
  }),
  "GET /api/integration/status": route({
    access: "key",
    scope: "operate",
    summary: "Whether table, bucket and queues answer",
    answers: {
      200: { says: "Every part answers", schema: IntegrationStatus },
      503: { says: "A part does not answer", schema: IntegrationStatus },
    },
    run: async ({ platform }) => {
      const status = await integrationStatus(gatewayPorts(platform));
      return { status: status.ok ? 200 : 503, body: status };
    },
  }),
};
