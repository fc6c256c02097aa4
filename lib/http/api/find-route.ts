import type { APIGatewayProxyEventV2 } from "aws-lambda";
import type { ApiMiddleware } from "#lib/http/api/api-call.ts";
import { preflightHeaders } from "#lib/http/api/cors.ts";
import { methodsByPath } from "#lib/http/openapi/openapi-document.ts";
import type { RequestGate } from "#lib/http/policy/admit-request.ts";
import { checkHeaders } from "#lib/http/request/check-headers.ts";
import { checkUrl } from "#lib/http/request/parse-request.ts";
import type { ApiResponse, Route, Routes } from "#lib/http/route.ts";
import { HttpError } from "#lib/platform/errors/http-error.ts";

/**
 * Finds the route of the request; `callRoute` answers a request that no route takes. Throws HttpError 400
 * `URL_MALFORMED`, `HEADER_REPEATED`.
 */
export function findRoute(routes: Routes): ApiMiddleware {
  return {
    before: ({ event: call }) => {
      checkUrl(call.event);
      checkHeaders(call.headers);
      call.route = routeOf(call.event, routes);
    },
  };
}

/** serverless-offline takes HEAD for GET, which API Gateway does not. */
function routeOf({ routeKey, requestContext }: APIGatewayProxyEventV2, routes: Routes): Route | undefined {
  const as_declared = routeKey.startsWith(`${requestContext.http.method} `);
  return as_declared && Object.hasOwn(routes, routeKey) ? routes[routeKey] : undefined;
}

/**
 * Answers a request that no route takes: a preflight of an origin that may ask. Throws HttpError 405
 * `METHOD_NOT_ALLOWED` for a path that has other methods, and 404 `ROUTE_UNKNOWN`. This needs no
 * credential: which routes there are is in the API's public description.
 */
export async function answerUnrouted(
  { rawPath, requestContext }: Pick<APIGatewayProxyEventV2, "rawPath" | "requestContext">,
  headers: Record<string, string>,
  gate: RequestGate | undefined,
): Promise<ApiResponse> {
  const { method, path } = requestContext.http;
  const { template, methods } = (await methodsByPath(rawPath)) ?? {};
  if (template === undefined || methods === undefined) {
    throw new HttpError("ROUTE_UNKNOWN", `there is no ${method} ${path}`.slice(0, 300));
  }
  const { origin, "access-control-request-method": asked } = headers;
  if (method === "OPTIONS" && origin !== undefined && asked !== undefined && methods.includes(asked)) {
    const allowed = preflightHeaders(`${asked} ${template}`, origin, gate);
    if (allowed) return { status: 204, headers: allowed };
  }
  const allow = methods.join(", ");
  throw new HttpError("METHOD_NOT_ALLOWED", `${template} takes ${allow}`, undefined, { allow });
}
