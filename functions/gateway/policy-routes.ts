import { type Route, route } from "#lib/http/route.ts";
import { config } from "#lib/platform/config/config.ts";
import { Policies } from "#schemas/http/policies.ts";

/** What the operator's files say, as the gateway's process sees them. */
export const policyRoutes: Record<string, Route> = {
  "GET /api/policies": route({
    access: "key",
    scope: "operate",
    summary: "Which configuration is in force",
    answers: { 200: { says: "As the gateway's process sees it", schema: Policies } },
    run: async () => {
      const body: Policies = { service: "gateway", ...config.view() };
      return { status: 200, body };
    },
  }),
};
