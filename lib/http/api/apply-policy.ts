import type { ApiMiddleware } from "#lib/http/api/api-call.ts";
import { admitRequest } from "#lib/http/policy/admit-request.ts";

/**
 * Applies the operator's policy of the route to the caller's tenant: whether it is open, its rate limit and
 * its largest body. Throws HttpError 403, 413, 429 or 503, as `admitRequest` says.
 */
export function applyPolicy(): ApiMiddleware {
  return {
    before: async ({ event: call }) => {
      if (!call.route) return;
      call.admission = await admitRequest(call, call.platform);
    },
  };
}
