import { type Route, route } from "#lib/http/define-api.ts";
import { listWebhooks } from "#lib/webhooks/webhook-store.ts";
import { type WebhookList, WebhookRequest } from "#schemas/http/webhooks.ts";
import { enableWebhook, removeWebhook, rotateWebhook } from "./change-webhook.ts";
import { createWebhook } from "./create-webhook.ts";
import { gatewayPorts } from "./dependencies.ts";
import { listDeliveries } from "./list-deliveries.ts";
import { DeliveryQuery, WebhookRotationQuery } from "./queries.ts";
import { redeliver } from "./redeliver.ts";
import { webhookAdmin } from "./webhook-admin.ts";
import { webhookView } from "./webhook-view.ts";

/** A tenant's administrators manage where it is told of its tasks' ends; its readers see how that goes. */
export const webhookRoutes: Record<string, Route> = {
  "POST /api/webhooks": route({
    access: "key",
    scope: "admin",
    body: WebhookRequest,
    run: async (request) => ({
      status: 201,
      body: await createWebhook(request.body, webhookAdmin(request)),
    }),
  }),
  "GET /api/webhooks": route({
    access: "key",
    scope: "read",
    run: async ({ tenant, platform }) => {
      const found = await listWebhooks(tenant, gatewayPorts(platform));
      const now = platform.runtime.now();
      const body: WebhookList = { webhooks: found.map((record) => webhookView(record, now)) };
      return { status: 200, body };
    },
  }),
  "DELETE /api/webhooks/{id}": route({
    access: "key",
    scope: "admin",
    run: async (request) => ({
      status: 200,
      body: await removeWebhook(request.params.id ?? "", webhookAdmin(request)),
    }),
  }),
  "POST /api/webhooks/{id}/rotate": route({
    access: "key",
    scope: "admin",
    query: WebhookRotationQuery,
    run: async (request) => {
      const rotation = { webhook_id: request.params.id ?? "", grace_hours: request.query.grace_hours };
      return { status: 201, body: await rotateWebhook(rotation, webhookAdmin(request)) };
    },
  }),
  "POST /api/webhooks/{id}/enable": route({
    access: "key",
    scope: "admin",
    run: async (request) => ({
      status: 200,
      body: await enableWebhook(request.params.id ?? "", webhookAdmin(request)),
    }),
  }),
  "GET /api/deliveries": route({
    access: "key",
    scope: "read",
    query: DeliveryQuery,
    run: async ({ tenant, query, platform }) => ({
      status: 200,
      body: await listDeliveries(tenant, query, gatewayPorts(platform)),
    }),
  }),
  "POST /api/deliveries/{id}/redeliver": route({
    access: "key",
    scope: "submit",
    run: async ({ tenant, params, trace: request, log, platform }) => ({
      status: 202,
      body: await redeliver(tenant, params.id ?? "", { request, log }, gatewayPorts(platform)),
    }),
  }),
};
