import { type Route, route } from "#lib/http/define-api.ts";
import { KeyRequest } from "#schemas/http/keys.ts";
import { createKey } from "./create-key.ts";
import { gatewayPorts } from "./dependencies.ts";
import { keyAdmin } from "./key-admin.ts";
import { listKeys } from "./list-keys.ts";
import { KeyQuery, RotationQuery } from "./queries.ts";
import { revokeKey } from "./revoke-key.ts";
import { rotateKey } from "./rotate-key.ts";

/** A tenant's administrators manage its own keys and see no others. */
export const keyRoutes: Record<string, Route> = {
  "POST /api/keys": route({
    access: "key",
    scope: "admin",
    body: KeyRequest,
    run: async (request) => {
      const { admin, ports } = keyAdmin(request);
      return { status: 201, body: await createKey(request.body, admin, ports) };
    },
  }),
  "GET /api/keys": route({
    access: "key",
    scope: "admin",
    query: KeyQuery,
    run: async ({ tenant, query, platform }) => ({
      status: 200,
      body: await listKeys(tenant, query, gatewayPorts(platform)),
    }),
  }),
  "POST /api/keys/{id}/rotate": route({
    access: "key",
    scope: "admin",
    query: RotationQuery,
    run: async (request) => {
      const { admin, ports } = keyAdmin(request);
      const rotation = { key_id: request.params.id ?? "", grace_hours: request.query.grace_hours };
      return { status: 201, body: await rotateKey(rotation, admin, ports) };
    },
  }),
  "POST /api/keys/{id}/revoke": route({
    access: "key",
    scope: "admin",
    run: async (request) => {
      const { admin, ports } = keyAdmin(request);
      return { status: 200, body: await revokeKey(request.params.id ?? "", admin, ports) };
    },
  }),
};
