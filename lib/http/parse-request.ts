import type { APIGatewayProxyEventV2 } from "aws-lambda";
import type { z } from "zod";
import { HttpError } from "#lib/http/http-error.ts";
import type { Problem } from "#schemas/http/task-view.ts";

/** API Gateway itself takes 10 MB; larger sources go by `POST /api/uploads`. */
const BODY_BYTES_MAX = 6_000_000;
const ISSUES_MAX = 20;

/** A JSON body checked by its schema. Throws HttpError 400, 413, 415 or 422. */
export function parseBody<Schema extends z.ZodType>(
  schema: Schema,
  event: Pick<APIGatewayProxyEventV2, "body" | "isBase64Encoded">,
  headers: Record<string, string>,
): z.output<Schema> {
  const text = event.isBase64Encoded
    ? Buffer.from(event.body ?? "", "base64").toString("utf8")
    : (event.body ?? "");
  const bytes = Buffer.byteLength(text);
  if (bytes > BODY_BYTES_MAX) {
    throw new HttpError(413, "BODY_TOO_LARGE", `the body has ${bytes} bytes; ${BODY_BYTES_MAX} is the limit`);
  }
  const media_type = (headers["content-type"] ?? "").split(";")[0]?.trim().toLowerCase();
  if (media_type !== "application/json") {
    throw new HttpError(415, "CONTENT_TYPE_UNSUPPORTED", "send the body as content-type: application/json");
  }
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw new HttpError(
      400,
      "BODY_NOT_JSON",
      `the body is not JSON: ${(cause as Error).message.slice(0, 200)}`,
    );
  }
  return parse(schema, value, "BODY_INVALID", "the body");
}

/** Query parameters checked by their schema (use `z.coerce` for numbers). Throws HttpError 422. */
export function parseQuery<Schema extends z.ZodType>(
  schema: Schema,
  parameters: Record<string, string | undefined>,
): z.output<Schema> {
  return parse(schema, parameters, "QUERY_INVALID", "the query string");
}

function parse<Schema extends z.ZodType>(
  schema: Schema,
  value: unknown,
  code: string,
  what: string,
): z.output<Schema> {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const errors: NonNullable<Problem["errors"]> = parsed.error.issues.slice(0, ISSUES_MAX).map((issue) => ({
    path: `/${issue.path.map(String).join("/")}`.slice(0, 300),
    message: issue.message.slice(0, 500),
  }));
  const first = errors[0];
  throw new HttpError(422, code, `${what} is not valid: ${first?.path} ${first?.message}`, errors);
}
