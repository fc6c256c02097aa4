import { defineApi } from "#lib/http/api/define-api.ts";
import { alertRoutes } from "./alert-routes.ts";
import { artifactRoutes } from "./artifact-routes.ts";
import { auditRoutes } from "./audit-routes.ts";
import { circuitRoutes } from "./circuit-routes.ts";
import { consoleRoutes } from "./console-routes.ts";
import { documentationRoutes } from "./documentation-routes.ts";
import { failureRoutes } from "./failure-routes.ts";
import { keyRoutes } from "./key-routes.ts";
import { metricsRoutes } from "./metrics-routes.ts";
import { replayRoutes } from "./replay-routes.ts";
import { statusRoutes } from "./status-routes.ts";
import { taskRoutes } from "./task-routes.ts";
import { webhookRoutes } from "./webhook-routes.ts";

/** Every route of the HTTP API but `POST /api/query`. */
export const handler = defineApi("gateway", {
  ...taskRoutes,
  ...artifactRoutes,
  ...statusRoutes,
  ...metricsRoutes,
  ...alertRoutes,
  ...circuitRoutes,
  ...keyRoutes,
  ...auditRoutes,
  ...webhookRoutes,
  ...failureRoutes,
  ...replayRoutes,
  ...documentationRoutes,
  ...consoleRoutes,
});
