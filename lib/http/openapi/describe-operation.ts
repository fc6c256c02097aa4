import { z } from "zod";
import type { ComponentSchemas } from "#lib/http/openapi/component-schemas.ts";
import { describeResponses } from "#lib/http/openapi/describe-responses.ts";
import type { Operation, Parameter, SchemaNode } from "#lib/http/openapi/openapi-document.ts";
import { operationId } from "#lib/http/openapi/operation-names.ts";
import type { Route } from "#lib/http/route.ts";

/** One route as OpenAPI says it. */
export function describeOperation(key: string, route: Route, components: ComponentSchemas): Operation {
  const [, template = ""] = key.split(" ");
  return {
    operationId: operationId(key),
    summary: route.summary,
    ...(route.details && { description: route.details }),
    tags: [tagOf(template)],
    "x-route-key": key,
    ...(route.access !== "public" && { "x-scope": route.scope }),
    ...(route.access === "key-or-local" && { "x-open-to-loopback": true as const }),
    security: route.access === "public" ? [] : [{ key: [] }],
    parameters: [
      ...pathParameters(template, route, components),
      ...queryParameters(route),
      ...headerParameters(route, components),
    ],
    ...(route.body && {
      requestBody: {
        required: true as const,
        content: {
          "application/json": {
            schema: components.node(route.body, "input"),
            ...(route.example !== undefined && { example: route.example }),
          },
        },
      },
    }),
    responses: describeResponses(route, components),
  };
}

/** The first part of the path that says something. */
function tagOf(template: string): string {
  const part = template.split("/").find((each) => each !== "" && each !== "api") ?? "";
  return part.replace(/\.\w+$/, "");
}

function pathParameters(template: string, { params }: Route, components: ComponentSchemas): Parameter[] {
  const names = [...template.matchAll(/\{(\w+)\+?\}/g)].map(([, name = ""]) => name);
  return names.map((name) =>
    parameter(name, "path", true, components.node(params?.[name] ?? z.string().min(1), "input")),
  );
}

/** All are texts on the way; what is shown is what they are read as. */
function queryParameters({ query }: Route): Parameter[] {
  if (!query) return [];
  const { required = [] } = z.toJSONSchema(query, { io: "input" });
  const { properties = {} } = z.toJSONSchema(query, { io: "output" });
  return Object.entries(properties).map(([name, node]) =>
    parameter(name, "query", required.includes(name), node as SchemaNode),
  );
}

function headerParameters({ headers = {} }: Route, components: ComponentSchemas): Parameter[] {
  return Object.entries(headers).map(([name, schema]) =>
    parameter(name, "header", false, components.node(schema, "input")),
  );
}

function parameter(name: string, place: Parameter["in"], required: boolean, node: SchemaNode): Parameter {
  const { description, ...schema } = node;
  return { name, in: place, required, ...(description ? { description: String(description) } : {}), schema };
}
