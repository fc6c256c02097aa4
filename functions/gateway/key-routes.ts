import { type Route, route } from "#lib/http/route.ts";
import { KeyList, KeyRequest, KeyView, NewKey } from "#schemas/http/keys.ts";
import { KeyId } from "#schemas/records/api-key.ts";
import { gatewayPorts } from "./dependencies.ts";
import { createKey, keyAdmin, listKeys, revokeKey, rotateKey } from "./keys.ts";
import { KeyQuery, RotationQuery } from "./queries.ts";

/** A tenant's administrators manage the keys of their own tenant only. */
export const keyRoutes: Record<string, Route> = {
  "POST /api/keys": route({
    access: "key",
    scope: "admin",
    summary: "Make a key",
    body: KeyRequest,
    answers: {
      201: {
        says: "The key, shown this once",
        schema: NewKey,
        links: {
          "POST /api/keys/{id}/rotate": { id: "$response.body#/key_id" },
          "POST /api/keys/{id}/revoke": { id: "$response.body#/key_id" },
        },
      },
    },
    codes: { 409: ["KEYS_TOO_MANY"], 422: ["KEY_TOO_LONG_LIVED"] },
    run: async (request) => {
      const { admin, ports } = keyAdmin(request);
      return { status: 201, body: await createKey(request.body, admin, ports) };
    },
  }),
  "GET /api/keys": route({
    access: "key",
    scope: "admin",
    summary: "List the tenant's keys, newest first",
    query: KeyQuery,
    answers: { 200: { says: "One page", schema: KeyList } },
    codes: { 400: ["CURSOR_INVALID"] },
    run: async ({ tenant, query, platform }) => ({
      status: 200,
      body: await listKeys(tenant, query, gatewayPorts(platform)),
    }),
  }),
  "POST /api/keys/{id}/rotate": route({
    access: "key",
    scope: "admin",
    summary: "Replace a key; the old one works until its grace ends",
    params: { id: KeyId },
    query: RotationQuery,
    answers: { 201: { says: "The successor, shown this once", schema: NewKey } },
    codes: { 404: ["KEY_NOT_FOUND"], 409: ["KEY_NOT_ACTIVE"], 422: ["GRACE_TOO_LONG"] },
    run: async (request) => {
      const { admin, ports } = keyAdmin(request);
      const rotation = { key_id: request.params.id ?? "", grace_hours: request.query.grace_hours };
      return { status: 201, body: await rotateKey(rotation, admin, ports) };
    },
  }),
  "POST /api/keys/{id}/revoke": route({
    access: "key",
    scope: "admin",
    summary: "End a key for good",
    params: { id: KeyId },
    answers: { 200: { says: "The key, revoked", schema: KeyView } },
    codes: { 404: ["KEY_NOT_FOUND"] },
    run: async (request) => {
      const { admin, ports } = keyAdmin(request);
      return { status: 200, body: await revokeKey(request.params.id ?? "", admin, ports) };
    },
  }),
};
