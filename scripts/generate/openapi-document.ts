import { STATUS_CODES } from "node:http";
import { z } from "zod";
import type {
  OpenApiDocument,
  Operation,
  Parameter,
  ResponseObject,
  SchemaNode,
} from "#lib/http/openapi/openapi-document.ts";
import type { Answer, Route, Routes } from "#lib/http/route.ts";
import type { CodesByStatus } from "#lib/platform/errors/codes.ts";
import { Problem } from "#schemas/http/task-view.ts";

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

/** Describes one route as an OpenAPI operation. */
function describeOperation(key: string, route: Route, components: ComponentSchemas): Operation {
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

/** The first part of the path after `/api`. */
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

/** Query parameters are sent as text; they are described by the type they are parsed to. */
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

const TRACEPARENT = {
  traceparent: {
    description: "W3C trace context of this request",
    schema: { type: "string", pattern: "^00-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}$" },
  },
};
/** Headers that a problem of this status always has. */
const PROBLEM_HEADERS: Record<number, Record<string, string>> = {
  401: { "www-authenticate": "how to prove who you are (RFC 6750)" },
  415: { accept: "the content type that is taken" },
  429: { "retry-after": "seconds to wait" },
};

/** Describes a route's responses by status: its own answers, and its problems with their error codes. */
function describeResponses(
  route: Pick<Route, "access" | "body" | "answers" | "codes">,
  components: ComponentSchemas,
): Record<string, ResponseObject> {
  const responses: Record<string, ResponseObject> = {};
  for (const [status, answer] of Object.entries(route.answers)) {
    responses[status] = describeAnswer(answer, components);
  }
  const standard = standardCodes(route);
  const own: Codes = route.codes ?? {};
  for (const status of new Set([...Object.keys(standard), ...Object.keys(own)]).values()) {
    const number = Number(status);
    const codes = [...(standard[number] ?? []), ...(own[number] ?? [])].sort();
    const problem = describeProblem(number, codes, components);
    const before = responses[status];
    responses[status] = before ? { ...before, content: { ...before.content, ...problem.content } } : problem;
  }
  return responses;
}

function describeAnswer(
  { says, schema, media_type, headers = {}, links = {} }: Answer,
  components: ComponentSchemas,
): ResponseObject {
  const content = schema
    ? { "application/json": { schema: components.node(schema, "output") } }
    : media_type && { [media_type]: {} };
  const led = Object.entries(links).map(([key, parameters]) => {
    const id = operationId(key);
    return [id, { operationId: id, parameters }] as const;
  });
  return {
    description: says,
    headers: { ...TRACEPARENT, ...described(headers) },
    ...(content && { content }),
    ...(led.length > 0 && { links: Object.fromEntries(led) }),
  };
}

function describeProblem(
  status: number,
  codes: readonly string[],
  components: ComponentSchemas,
): ResponseObject {
  const problem = components.node(Problem, "output");
  const schema = { ...problem, properties: { status: { const: status }, code: { enum: codes } } };
  return {
    description: STATUS_CODES[status] ?? "Problem",
    headers: { ...TRACEPARENT, ...described(PROBLEM_HEADERS[status] ?? {}) },
    content: { "application/problem+json": { schema } },
  };
}

function described(headers: Record<string, string>): NonNullable<ResponseObject["headers"]> {
  return Object.fromEntries(
    Object.entries(headers).map(([name, description]) => [name, { description, schema: { type: "string" } }]),
  );
}

/** Error codes by status. */
type Codes = Readonly<Record<number, readonly string[] | undefined>>;

const BODY_MALFORMED = ["BODY_KEY_REFUSED", "BODY_NOT_JSON", "BODY_NOT_UNICODE", "BODY_TOO_COMPLEX"] as const;

/** Error codes that the HTTP stack may answer for every route of this kind. */
function standardCodes({ access, body }: Pick<Route, "access" | "body">): Codes {
  const with_key = access !== "public";
  const with_body = body !== undefined;
  const codes: CodesByStatus = {
    400: ["URL_MALFORMED", "HEADER_REPEATED", ...(with_body ? BODY_MALFORMED : [])],
    ...(with_key && { 401: ["UNAUTHENTICATED"] }),
    403: ["ROUTE_CLOSED", ...(with_key ? ["SCOPE_MISSING" as const] : [])],
    413: ["BODY_TOO_LARGE"],
    ...(with_body && { 415: ["CONTENT_TYPE_UNSUPPORTED"] }),
    422: ["QUERY_INVALID", ...(with_body ? ["BODY_INVALID" as const] : [])],
    429: ["RATE_LIMITED", "QUOTA_SPENT", ...(with_key ? ["ATTEMPTS_EXCEEDED" as const] : [])],
    500: ["INTERNAL"],
    503: ["RATE_LIMIT_UNAVAILABLE", ...(with_key ? (["ISSUER_UNAVAILABLE", "RECORD_NEWER"] as const) : [])],
  };
  return codes;
}

/** A published schema under the name by which others refer to it. */
export interface NamedSchema {
  title: string;
  description: string;
  schema: z.ZodType;
}

/** Converts schemas to JSON Schema and collects those with a name as components. */
interface ComponentSchemas {
  /** The JSON Schema of a schema: a reference when it has a name. */
  node(schema: z.ZodType, io: "input" | "output"): SchemaNode;
  /** Every component that was referred to, directly or by another component, by name. */
  used(): Record<string, SchemaNode>;
}

const PREFIX = "#/components/schemas/";

/**
 * `io` selects the side of a schema: a field with a default is optional in a request (`input`) and required in a
 * response (`output`). Throws an Error when a component is used on both sides in different forms.
 */
function componentSchemas(named: readonly NamedSchema[]): ComponentSchemas {
  const sides = { input: convertAll(named, "input"), output: convertAll(named, "output") };
  const used = new Map<string, SchemaNode>();
  const titles = new Map(named.map(({ schema, title }) => [schema, title]));

  function use(title: string, io: "input" | "output"): void {
    const component = sides[io][title];
    if (!component) throw new Error(`${title} has no JSON Schema.`);
    const before = used.get(title);
    if (before && JSON.stringify(before) !== JSON.stringify(component)) {
      throw new Error(`${title} is sent and answered in different forms: give each a schema of its own.`);
    }
    if (before) return;
    used.set(title, component);
    for (const other of references(component)) use(other, io);
  }

  return {
    node(schema, io) {
      const title = titles.get(schema);
      if (title !== undefined) {
        use(title, io);
        return { $ref: `${PREFIX}${title}` };
      }
      const { $schema: _, ...node } = z.toJSONSchema(schema, { io });
      return node;
    },
    used: () => Object.fromEntries([...used].sort(([a], [b]) => (a < b ? -1 : 1))),
  };
}

function convertAll(named: readonly NamedSchema[], io: "input" | "output"): Record<string, SchemaNode> {
  const registry = z.registry<{ id: string; description?: string }>();
  for (const { schema, title, description } of named) {
    registry.add(schema, { id: title, ...(description && { description }) });
  }
  const { schemas } = z.toJSONSchema(registry, { io, uri: (id) => `${PREFIX}${id}` });
  return Object.fromEntries(
    Object.entries(schemas).map(([title, { $schema: _, $id: _1, ...node }]) => [title, node as SchemaNode]),
  );
}

function references(node: unknown): string[] {
  if (typeof node !== "object" || node === null) return [];
  return Object.entries(node).flatMap(([key, value]) =>
    key === "$ref" && typeof value === "string" && value.startsWith(PREFIX)
      ? [value.slice(PREFIX.length)]
      : references(value),
  );
}

/** `/artifacts/{task}/{path+}` as OpenAPI writes it. */
export function pathOf(template: string): string {
  return template.replace(/\{(\w+)\+\}/g, "{$1}");
}

/** `POST /api/tasks/{id}/cancel` → `post_tasks_id_cancel`. */
function operationId(key: string): string {
  return key
    .toLowerCase()
    .replace(/^(\w+) \/(?:api\/)?/, "$1_")
    .replace(/[^a-z0-9]+/g, "_")
    .replace(/_$/, "");
}
