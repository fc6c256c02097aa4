import { STATUS_CODES } from "node:http";
import type { ComponentSchemas } from "#lib/http/openapi/component-schemas.ts";
import type { ResponseObject } from "#lib/http/openapi/openapi-document.ts";
import { operationId } from "#lib/http/openapi/operation-names.ts";
import { type Codes, standardCodes } from "#lib/http/openapi/standard-codes.ts";
import type { Answer, Route } from "#lib/http/route.ts";
import { Problem } from "#schemas/http/task-view.ts";

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

/** Every answer of a route by status: what it does, and what may be wrong, with its codes. */
export function describeResponses(
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
