import { type Route, route } from "#lib/http/route.ts";
import { config } from "#lib/platform/config/config.ts";
import { HttpError } from "#lib/platform/errors/http-error.ts";
import { AlertList, AlertTest, AlertTestSent, SilenceRequest, SilenceView } from "#schemas/http/alerts.ts";
import { administrator } from "./administrator.ts";
import { listAlertState, silence, testSinks } from "./alerts.ts";
import { gatewayPorts } from "./dependencies.ts";

/** Alerts are about the platform, which all tenants share: they are its operators' business. */
export const alertRoutes: Record<string, Route> = {
  "GET /api/alerts": route({
    access: "key",
    scope: "operate",
    summary: "What fires, what is silenced, and where it is told",
    answers: { 200: { says: "Alerts, silences, rules and sinks", schema: AlertList } },
    codes: { 403: ["OPERATOR_TENANT_REQUIRED"] },
    run: async ({ tenant, platform }) => {
      mustOperate(tenant);
      return { status: 200, body: await listAlertState(config.alerts().value, gatewayPorts(platform)) };
    },
  }),
  "POST /api/alerts/silences": route({
    access: "key",
    scope: "operate",
    summary: "Tell nobody of a rule's alerts for a time",
    details: "What fires meanwhile and still does when the time is over is told then.",
    body: SilenceRequest,
    example: { rule: "*", for_seconds: 3600, why: "maintenance" },
    answers: { 201: { says: "The silence", schema: SilenceView } },
    codes: { 403: ["OPERATOR_TENANT_REQUIRED"], 404: ["ALERT_RULE_UNKNOWN"] },
    run: async (request) => {
      mustOperate(request.tenant);
      const ports = gatewayPorts(request.platform);
      const body = await silence(request.body, config.alerts().value, administrator(request), ports);
      return { status: 201, body };
    },
  }),
  "POST /api/alerts/test": route({
    access: "key",
    scope: "operate",
    summary: "Send a test notice",
    body: AlertTest,
    example: {},
    answers: { 202: { says: "Where it is on its way to", schema: AlertTestSent } },
    codes: { 403: ["OPERATOR_TENANT_REQUIRED"], 404: ["ALERT_SINK_NOT_FOUND"] },
    run: async (request) => {
      mustOperate(request.tenant);
      const ports = gatewayPorts(request.platform);
      const body = await testSinks(request.body.sink, config.alerts().value, administrator(request), ports);
      return { status: 202, body };
    },
  }),
};

/** Throws HttpError 403 `OPERATOR_TENANT_REQUIRED`. */
function mustOperate(tenant: string): void {
  if (config.authentication().value.operator_tenants.includes(tenant)) return;
  throw new HttpError(
    "OPERATOR_TENANT_REQUIRED",
    "alerts are about what all tenants share; only operators of operator_tenants in configs/authentication.json see and silence them",
  );
}
