import type { ApiAnswer, ApiCall, ApiMiddleware } from "#lib/http/api/api-call.ts";
import { corsHeaders } from "#lib/http/api/cors.ts";
import { formatTraceparent } from "#lib/platform/trace/traceparent.ts";

/**
 * On every answer, unless the route says otherwise: what is shown is data, never a page, and belongs in no
 * cache. https://cheatsheetseries.owasp.org/cheatsheets/REST_Security_Cheat_Sheet.html#security-headers
 */
export const SECURITY_HEADERS: Readonly<Record<string, string>> = {
  "cache-control": "no-store",
  "content-security-policy": "default-src 'none'; frame-ancestors 'none'",
  "cross-origin-resource-policy": "same-origin",
  "referrer-policy": "no-referrer",
  "strict-transport-security": "max-age=63072000; includeSubDomains",
  "x-content-type-options": "nosniff",
  "x-frame-options": "DENY",
};

/** Adds the headers of every answer: security, the rate limit that is left, CORS, and the trace. */
export function answerHeaders(): ApiMiddleware {
  const end = ({ event: call, response }: { event: ApiCall; response?: ApiAnswer | null | undefined }) => {
    if (!response) return;
    const { event, headers, platform, admission, trace } = call;
    response.headers = {
      ...SECURITY_HEADERS,
      ...admission?.headers,
      ...corsHeaders(event.routeKey, headers.origin, platform.requestGate),
      ...response.headers,
      ...(trace && { traceparent: formatTraceparent(trace) }),
    };
  };
  return { after: end, onError: end };
}
