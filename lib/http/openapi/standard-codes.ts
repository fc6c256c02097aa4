import type { Route } from "#lib/http/route.ts";

/** Error codes by status. */
export type Codes = Record<number, string[]>;

/** What any route of its kind may answer, before or around what it does itself. */
export function standardCodes({ access, body }: Pick<Route, "access" | "body">): Codes {
  const with_key = access !== "public";
  const with_body = body !== undefined;
  const codes: Record<number, (string | false)[]> = {
    400: [
      "URL_MALFORMED",
      "HEADER_REPEATED",
      with_body && "BODY_KEY_REFUSED",
      with_body && "BODY_NOT_JSON",
      with_body && "BODY_NOT_UNICODE",
      with_body && "BODY_TOO_COMPLEX",
    ],
    401: [with_key && "UNAUTHENTICATED"],
    403: ["ROUTE_CLOSED", with_key && "SCOPE_MISSING"],
    413: ["BODY_TOO_LARGE"],
    415: [with_body && "CONTENT_TYPE_UNSUPPORTED"],
    422: ["QUERY_INVALID", with_body && "BODY_INVALID"],
    429: ["RATE_LIMITED", "QUOTA_SPENT", with_key && "ATTEMPTS_EXCEEDED"],
    500: ["INTERNAL"],
    503: ["RATE_LIMIT_UNAVAILABLE", with_key && "ISSUER_UNAVAILABLE"],
  };
  return Object.fromEntries(
    Object.entries(codes)
      .map(([status, names]) => [status, names.filter((name) => name !== false)] as const)
      .filter(([, names]) => names.length > 0),
  );
}
