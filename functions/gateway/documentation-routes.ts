import { docsPage } from "#lib/http/openapi/docs-page.ts";
import { documentOf } from "#lib/http/openapi/openapi-document.ts";
import { type Route, route } from "#lib/http/route.ts";

const PUBLIC = { "cache-control": "public, max-age=300" };

/** The API's description. It shows nothing of any tenant, so nobody needs a key to read how to use one. */
export const documentationRoutes: Record<string, Route> = {
  "GET /api/openapi.json": route({
    access: "public",
    summary: "This description, as OpenAPI 3.1",
    answers: { 200: { says: "The OpenAPI document", media_type: "application/json" } },
    run: async ({ platform }) => ({
      status: 200,
      body: await documentOf(platform.settings.stage),
      headers: PUBLIC,
    }),
  }),
  "GET /docs": route({
    access: "public",
    summary: "This description, for people",
    answers: { 200: { says: "A page without scripts", media_type: "text/html" } },
    run: async ({ platform }) => {
      const { html, headers } = docsPage(await documentOf(platform.settings.stage));
      return { status: 200, body: Buffer.from(html), headers: { ...headers, ...PUBLIC } };
    },
  }),
};
