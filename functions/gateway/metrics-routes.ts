import { z } from "zod";
import { LOCAL_IDENTITY } from "#lib/http/auth/identity.ts";
import { type Route, route } from "#lib/http/route.ts";
import { config } from "#lib/platform/config/config.ts";
import { MetricsSummary } from "#schemas/http/metrics-summary.ts";
import { gatewayPorts } from "./dependencies.ts";
import { expose, formatFor } from "./exposition.ts";
import { exposedSeries, type MetricsRules, metricsScope, summarize } from "./metrics.ts";
import { MetricsQuery, MetricsTenant } from "./metrics-query.ts";

const operatorTenants = () => config.authentication().value.operator_tenants;
const metricsRules = (): MetricsRules => ({
  ...config.metrics().value,
  circuit_breaker: config.circuitBreaker().value,
});

/** What was counted, for people and programs, and for Prometheus. */
export const metricsRoutes: Record<string, Route> = {
  "GET /api/metrics/summary": route({
    access: "key-or-local",
    scope: "read",
    summary: "What is counted, by label and window, and how everything stands",
    details:
      "Tasks are counted from the ledger and exact. The counts of the services are approximate: docs/reference/counts.md.",
    query: MetricsQuery,
    answers: { 200: { says: "Series of the window, totals, circuits, backlog", schema: MetricsSummary } },
    codes: { 403: ["OPERATOR_TENANT_REQUIRED"] },
    run: async ({ identity = LOCAL_IDENTITY, query, platform }) => {
      const scope = metricsScope(query.tenant, identity, operatorTenants());
      const body = await summarize(query, scope, metricsRules(), gatewayPorts(platform));
      return { status: 200, body };
    },
  }),
  "GET /api/metrics": route({
    access: "key",
    scope: "read",
    summary: "The same numbers for Prometheus",
    details:
      "Counters are totals since ever. A key with scope operate of a tenant in operator_tenants sees all tenants; any other sees its own. " +
      "`Accept: application/openmetrics-text` asks for OpenMetrics. The series: docs/reference/metrics.md.",
    query: z.strictObject({
      tenant: MetricsTenant.optional().describe("whose numbers; absent: all that the key may see"),
    }),
    headers: { accept: z.string().describe("text/plain, or application/openmetrics-text") },
    answers: { 200: { says: "Prometheus text, or OpenMetrics", media_type: "text/plain" } },
    codes: { 403: ["OPERATOR_TENANT_REQUIRED"] },
    run: async ({ identity = LOCAL_IDENTITY, query, headers, platform }) => {
      const operators = operatorTenants();
      const sees_all = operators.includes(identity.tenant) && identity.scopes.includes("operate");
      const scope = metricsScope(query.tenant ?? (sees_all ? "*" : identity.tenant), identity, operators);
      const series = await exposedSeries(scope, metricsRules(), gatewayPorts(platform));
      const { text, content_type } = await expose(series, formatFor(headers.accept));
      return {
        status: 200,
        body: Buffer.from(text),
        headers: { "content-type": content_type, vary: "accept" },
      };
    },
  }),
};
