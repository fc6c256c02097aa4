import middy from "@middy/core";
import type { APIGatewayProxyEventV2, APIGatewayProxyHandlerV2, Context } from "aws-lambda";
import { answerHeaders } from "#lib/http/api/answer-headers.ts";
import { type ApiAnswer, type ApiCall, type ApiMiddleware, beginCall } from "#lib/http/api/api-call.ts";
import { applyPolicy } from "#lib/http/api/apply-policy.ts";
import { authenticateCaller } from "#lib/http/api/authenticate.ts";
import { callRoute, parseRequest } from "#lib/http/api/call-route.ts";
import { countAnswers } from "#lib/http/api/count-answers.ts";
import { findRoute } from "#lib/http/api/find-route.ts";
import { problemDetails } from "#lib/http/api/problem.ts";
import { traceRequest } from "#lib/http/api/trace-request.ts";
import { auditConfigChanges } from "#lib/http/audit/audit-config-changes.ts";
import { awsHttpPlatform, type HttpPlatform } from "#lib/http/platform.ts";
import type { Routes } from "#lib/http/route.ts";
import { finishInvocation, flushSpans, followConfig, reportCounts } from "#lib/platform/lambda/invocation.ts";

/** A Lambda handler that tells its routes, so that the API's description can be made of them. */
export type ApiHandler = APIGatewayProxyHandlerV2 & { routes: Routes };

/** What a request passes on its way to its route, and in the opposite order on its way back. */
function middlewares(routes: Routes): ApiMiddleware[] {
  return [
    finishInvocation(),
    traceRequest(),
    flushSpans(),
    countAnswers(),
    reportCounts("http"),
    followConfig(auditConfigChanges),
    answerHeaders(),
    problemDetails(),
    findRoute(routes),
    authenticateCaller(),
    applyPolicy(),
    parseRequest(),
  ];
}

/**
 * A Lambda handler for HTTP API routes, by their route keys (`GET /api/tasks/{id}`). A route not
 * named here is closed. Every answer carries a traceparent; every error is problem+json.
 */
export function defineApi(
  service: string,
  routes: Routes,
  platformOf: () => HttpPlatform = awsHttpPlatform,
): ApiHandler {
  const stack = middy<ApiCall, ApiAnswer>({ timeoutEarlyInMillis: 0 })
    .use(middlewares(routes))
    .handler(callRoute);
  const handle = (event: APIGatewayProxyEventV2, lambda: Context) =>
    stack(beginCall(service, event, lambda, platformOf()), lambda);
  return Object.assign(handle, { routes });
}
