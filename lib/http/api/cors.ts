import type { RequestGate } from "#lib/http/policy/admit-request.ts";

/** Policies for one tenant do not count: a preflight carries no credential. */
const NOBODY = "";

const SENT = "authorization, content-type, idempotency-key, if-none-match, traceparent, tracestate";
const SHOWN = "etag, location, ratelimit, ratelimit-policy, retry-after, traceparent";
const PREFLIGHT_SECONDS = 600;

/**
 * Lets pages of an origin that the route's policy names read the answer; no other origin's. Credentials
 * are keys in a header, so cookies are never asked for. https://fetch.spec.whatwg.org/#http-cors-protocol
 */
export function corsHeaders(
  route: string,
  origin: string | undefined,
  gate: Pick<RequestGate, "policyOf"> | undefined,
): Record<string, string> {
  if (origin === undefined || !isAllowed(route, origin, gate)) return {};
  return {
    "access-control-allow-origin": origin,
    "access-control-expose-headers": SHOWN,
    // A page elsewhere that may read it must not be stopped from doing so.
    "cross-origin-resource-policy": "cross-origin",
    vary: "origin",
  };
}

/** The answer to a preflight for `route`; undefined where its policy does not name the origin. */
export function preflightHeaders(
  route: string,
  origin: string,
  gate: Pick<RequestGate, "policyOf"> | undefined,
): Record<string, string> | undefined {
  if (!isAllowed(route, origin, gate)) return undefined;
  return {
    "access-control-allow-origin": origin,
    "access-control-allow-methods": route.split(" ")[0] ?? "",
    "access-control-allow-headers": SENT,
    "access-control-max-age": String(PREFLIGHT_SECONDS),
    vary: "origin, access-control-request-method",
  };
}

function isAllowed(route: string, origin: string, gate: Pick<RequestGate, "policyOf"> | undefined): boolean {
  const policy = gate?.policyOf({ tenant: NOBODY, route });
  return policy?.enabled === true && (policy.cors_origins ?? []).includes(origin);
}
