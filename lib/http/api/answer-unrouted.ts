import type { APIGatewayProxyEventV2 } from "aws-lambda";
import { preflightHeaders } from "#lib/http/api/cors.ts";
import { methodsByPath } from "#lib/http/openapi/methods-by-path.ts";
import type { RequestGate } from "#lib/http/policy/request-gate.ts";
import type { ApiResponse } from "#lib/http/route.ts";
import { HttpError } from "#lib/platform/errors/http-error.ts";

type Unrouted = Pick<APIGatewayProxyEventV2, "rawPath" | "requestContext">;

/**
 * What no route takes: a preflight of an origin that may ask; else throws HttpError 405
 * `METHOD_NOT_ALLOWED` for a path that has other methods, and 404 `ROUTE_UNKNOWN`. Nobody's credential
 * is asked for: which routes there are is in the API's public description.
 */
export async function answerUnrouted(
  { rawPath, requestContext }: Unrouted,
  headers: Record<string, string>,
  gate: RequestGate | undefined,
): Promise<ApiResponse> {
  const { method, path } = requestContext.http;
  const { template, methods } = (await methodsByPath(rawPath)) ?? {};
  if (template === undefined || methods === undefined) {
    throw new HttpError(404, "ROUTE_UNKNOWN", `there is no ${method} ${path}`.slice(0, 300));
  }
  const { origin, "access-control-request-method": asked } = headers;
  if (method === "OPTIONS" && origin !== undefined && asked !== undefined && methods.includes(asked)) {
    const allowed = preflightHeaders(`${asked} ${template}`, origin, gate);
    if (allowed) return { status: 204, headers: allowed };
  }
  const allow = methods.join(", ");
  throw new HttpError(405, "METHOD_NOT_ALLOWED", `${template} takes ${allow}`, undefined, { allow });
}
