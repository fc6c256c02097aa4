import { config } from "#lib/config/config.ts";
import { type Route, route } from "#lib/http/define-api.ts";
import type { Policies } from "#schemas/http/policies.ts";

/** What the operator's files say, as the gateway's process sees them. */
export const policyRoutes: Record<string, Route> = {
  "GET /api/policies": route({
    access: "key",
    scope: "operate",
    run: async () => {
      const body: Policies = { service: "gateway", ...config.view() };
      return { status: 200, body };
    },
  }),
};
