import type { APIGatewayProxyEventV2 } from "aws-lambda";
import { z } from "zod";
import { checkJson } from "#lib/http/request/check-json.ts";
import { readBody } from "#lib/http/request/read-body.ts";
import { HttpError } from "#lib/platform/errors/http-error.ts";
import type { Problem } from "#schemas/http/task-view.ts";
import { pointerTo } from "#schemas/issue-sentence.ts";

const ISSUES_MAX = 20;

/** Of a route that takes no query parameters. */
export const NO_QUERY = z.strictObject({});

/** A JSON body checked by its schema. Throws HttpError 400, 413, 415 or 422. */
export function parseBody<Schema extends z.ZodType>(
  schema: Schema,
  event: Pick<APIGatewayProxyEventV2, "body" | "isBase64Encoded">,
  headers: Record<string, string>,
): z.output<Schema> {
  const text = readBody(event, headers);
  checkJson(text);
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    const reason = (cause as Error).message.slice(0, 200).toWellFormed();
    throw new HttpError("BODY_NOT_JSON", `the body is not JSON: ${reason}`);
  }
  return parse(schema, value, "BODY_INVALID", "the body");
}

/**
 * Query parameters checked by their schema. All are texts: a schema of numbers begins with a pattern.
 * Throws HttpError 422, also for one that is given twice, which readers take for different values.
 */
export function parseQuery<Schema extends z.ZodType>(
  schema: Schema,
  raw: string | undefined,
): z.output<Schema> {
  const given: Record<string, string> = Object.create(null);
  for (const [name, value] of new URLSearchParams(raw ?? "")) {
    if (name in given) {
      const errors = [{ path: `/${name}`.slice(0, 300), message: "given more than once" }];
      throw new HttpError("QUERY_INVALID", "a query parameter is given more than once", errors);
    }
    given[name] = value;
  }
  return parse(schema, { ...given }, "QUERY_INVALID", "the query string");
}

/** Throws HttpError 400 `URL_MALFORMED` for percent-encoding that says nothing, or no UTF-8. */
export function checkUrl({ rawPath, rawQueryString }: { rawPath: string; rawQueryString?: string }): void {
  try {
    decodeURIComponent(rawPath);
    decodeURIComponent(rawQueryString ?? "");
  } catch {
    throw new HttpError("URL_MALFORMED", "the URL has percent-encoding that is not UTF-8");
  }
}

function parse<Schema extends z.ZodType>(
  schema: Schema,
  value: unknown,
  code: "BODY_INVALID" | "QUERY_INVALID",
  what: string,
): z.output<Schema> {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const errors: NonNullable<Problem["errors"]> = parsed.error.issues.slice(0, ISSUES_MAX).map((issue) => ({
    path: pointerTo(issue.path).slice(0, 300).toWellFormed(),
    message: issue.message.slice(0, 500).toWellFormed(),
  }));
  const first = errors[0];
  throw new HttpError(code, `${what} is not valid: ${first?.path}: ${first?.message}`, errors);
}
