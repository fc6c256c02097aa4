import { type Route, route } from "#lib/http/route.ts";
import { listWebhooks } from "#lib/work/webhooks/webhook-store.ts";
import {
  DeliveryId,
  DeliveryList,
  DeliveryView,
  NewWebhook,
  WebhookList,
  WebhookRequest,
  WebhookView,
} from "#schemas/http/webhooks.ts";
import { WebhookId } from "#schemas/records/webhook.ts";
import { listDeliveries, redeliver } from "./deliveries.ts";
import { gatewayPorts } from "./dependencies.ts";
import { DeliveryQuery, WebhookRotationQuery } from "./queries.ts";
import {
  createWebhook,
  enableWebhook,
  removeWebhook,
  rotateWebhook,
  webhookAdmin,
  webhookView,
} from "./webhooks.ts";

/** Administrators manage their tenant's webhooks; keys with scope `read` see webhooks and deliveries. */
export const webhookRoutes: Record<string, Route> = {
  "POST /api/webhooks": route({
    access: "key",
    scope: "admin",
    summary: "Make a webhook",
    details: "Each task that ends from then on is sent to it, signed by Standard Webhooks.",
    body: WebhookRequest,
    example: { name: "ci", url: "https://example.org/agents" },
    answers: {
      201: {
        says: "The webhook with its secret, shown this once",
        schema: NewWebhook,
        links: {
          "POST /api/webhooks/{id}/rotate": { id: "$response.body#/webhook_id" },
          "POST /api/webhooks/{id}/enable": { id: "$response.body#/webhook_id" },
          "DELETE /api/webhooks/{id}": { id: "$response.body#/webhook_id" },
        },
      },
    },
    codes: { 409: ["WEBHOOKS_TOO_MANY"], 422: ["WEBHOOK_URL_FORBIDDEN"] },
    run: async (request) => ({
      status: 201,
      body: await createWebhook(request.body, webhookAdmin(request)),
    }),
  }),
  "GET /api/webhooks": route({
    access: "key",
    scope: "read",
    summary: "List the tenant's webhooks, oldest first",
    answers: { 200: { says: "All of them", schema: WebhookList } },
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
    summary: "End a webhook for good; what waits to be sent to it is not",
    params: { id: WebhookId },
    answers: { 200: { says: "The webhook, deleted", schema: WebhookView } },
    codes: { 404: ["WEBHOOK_NOT_FOUND"] },
    run: async (request) => ({
      status: 200,
      body: await removeWebhook(request.params.id ?? "", webhookAdmin(request)),
    }),
  }),
  "POST /api/webhooks/{id}/rotate": route({
    access: "key",
    scope: "admin",
    summary: "Give a webhook a new secret; the old one signs too until its grace ends",
    params: { id: WebhookId },
    query: WebhookRotationQuery,
    answers: { 201: { says: "The webhook with its new secret, shown this once", schema: NewWebhook } },
    codes: {
      404: ["WEBHOOK_NOT_FOUND"],
      409: ["SECRETS_TOO_MANY"],
      422: ["GRACE_TOO_LONG"],
      503: ["WEBHOOK_CONTENDED"],
    },
    run: async (request) => {
      const rotation = { webhook_id: request.params.id ?? "", grace_hours: request.query.grace_hours };
      return { status: 201, body: await rotateWebhook(rotation, webhookAdmin(request)) };
    },
  }),
  "POST /api/webhooks/{id}/enable": route({
    access: "key",
    scope: "admin",
    summary: "Send to a disabled webhook again",
    params: { id: WebhookId },
    answers: { 200: { says: "The webhook, active", schema: WebhookView } },
    codes: { 404: ["WEBHOOK_NOT_FOUND"], 503: ["WEBHOOK_CONTENDED"] },
    run: async (request) => ({
      status: 200,
      body: await enableWebhook(request.params.id ?? "", webhookAdmin(request)),
    }),
  }),
  "GET /api/deliveries": route({
    access: "key",
    scope: "read",
    summary: "What was sent to webhooks, newest first: tries, answers, the next try",
    query: DeliveryQuery,
    answers: {
      200: {
        says: "One page",
        schema: DeliveryList,
        links: { "POST /api/deliveries/{id}/redeliver": { id: "$response.body#/deliveries/0/delivery_id" } },
      },
    },
    codes: { 400: ["CURSOR_INVALID"] },
    run: async ({ tenant, query, platform }) => ({
      status: 200,
      body: await listDeliveries(tenant, query, gatewayPorts(platform)),
    }),
  }),
  "POST /api/deliveries/{id}/redeliver": route({
    access: "key",
    scope: "submit",
    summary: "Send an event once more, under the same id",
    params: { id: DeliveryId },
    answers: { 202: { says: "The delivery, on its way", schema: DeliveryView } },
    codes: { 404: ["DELIVERY_NOT_FOUND"], 409: ["DELIVERY_OPEN", "REDELIVERIES_SPENT"] },
    run: async ({ tenant, params, trace: request, log, platform }) => ({
      status: 202,
      body: await redeliver(tenant, params.id ?? "", { request, log }, gatewayPorts(platform)),
    }),
  }),
};
