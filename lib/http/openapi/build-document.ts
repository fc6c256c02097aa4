import { componentSchemas, type NamedSchema } from "#lib/http/openapi/component-schemas.ts";
import { describeOperation } from "#lib/http/openapi/describe-operation.ts";
import type { OpenApiDocument, Operation } from "#lib/http/openapi/openapi-document.ts";
import { pathOf } from "#lib/http/openapi/operation-names.ts";
import type { Routes } from "#lib/http/route.ts";

const ABOUT = `Submit a source tree and a change; it is made, built, tested and indexed, and every step's artifacts can be read.

Errors are problem details (RFC 9457) with a stable \`code\` and a \`trace_id\`. Every answer carries a \`traceparent\`; answers to a key carry \`RateLimit\` and \`RateLimit-Policy\` (draft-ietf-httpapi-ratelimit-headers-10). On AWS, API Gateway itself answers 401 to a request without any Authorization header, 413 beyond 10 MB and 503 when it gives up, each as \`{"message": …}\`.`;

/** The OpenAPI description of all routes, in their order. `named` are the schemas that become components. */
export function buildDocument(
  routes: Routes,
  named: readonly NamedSchema[],
  version: string,
): OpenApiDocument {
  const components = componentSchemas(named);
  const paths: OpenApiDocument["paths"] = {};
  for (const [key, route] of Object.entries(routes)) {
    const [method = "", template = ""] = key.split(" ");
    const path = pathOf(template);
    paths[path] = { ...paths[path], [method.toLowerCase()]: describeOperation(key, route, components) };
  }
  const operations = Object.values(paths).flatMap((path) => Object.values<Operation>(path));
  return {
    openapi: "3.1.1",
    info: {
      title: "Distributed Agents",
      version,
      description: ABOUT,
      license: { name: "Apache-2.0", identifier: "Apache-2.0" },
    },
    servers: [{ url: "/" }],
    tags: [...new Set(operations.flatMap(({ tags }) => tags))].map((name) => ({ name })),
    paths,
    components: {
      securitySchemes: {
        key: { type: "http", scheme: "bearer", description: "an API key, or a token of a configured issuer" },
      },
      schemas: components.used(),
    },
  };
}
