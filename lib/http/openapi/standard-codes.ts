import type { Route } from "#lib/http/route.ts";
import type { CodesByStatus } from "#lib/platform/errors/codes.ts";

/** Error codes by status. */
export type Codes = Readonly<Record<number, readonly string[] | undefined>>;

const BODY_MALFORMED = ["BODY_KEY_REFUSED", "BODY_NOT_JSON", "BODY_NOT_UNICODE", "BODY_TOO_COMPLEX"] as const;

/** What any route of its kind may answer, before or around what it does itself. */
export function standardCodes({ access, body }: Pick<Route, "access" | "body">): Codes {
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
    503: ["RATE_LIMIT_UNAVAILABLE", ...(with_key ? ["ISSUER_UNAVAILABLE" as const] : [])],
  };
  return codes;
}
