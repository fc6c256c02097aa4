import type {
  APIGatewayProxyEventV2,
  APIGatewayProxyHandlerV2,
  APIGatewayProxyStructuredResultV2,
  Context,
} from "aws-lambda";
import { answerUnrouted } from "#lib/http/api/answer-unrouted.ts";
import { authenticate } from "#lib/http/api/authenticate.ts";
import { corsHeaders } from "#lib/http/api/cors.ts";
import { describe, problemResponse } from "#lib/http/api/problem.ts";
import { SECURITY_HEADERS } from "#lib/http/api/security-headers.ts";
import { auditConfigChanges } from "#lib/http/audit/audit-config-changes.ts";
import { auditPorts } from "#lib/http/audit/record-audit.ts";
import { authorize, requiredScope } from "#lib/http/auth/required-scope.ts";
import { awsHttpPlatform, type HttpPlatform } from "#lib/http/platform.ts";
import { type Admission, admitRequest } from "#lib/http/policy/admit-request.ts";
import { checkUrl, NO_QUERY, parseBody, parseQuery } from "#lib/http/request/parse-request.ts";
import type { ApiResponse, Route, Routes } from "#lib/http/route.ts";
import { withCallMeter } from "#lib/platform/aws/call-meter.ts";
import { Fault } from "#lib/platform/errors/fault.ts";
import { HttpError } from "#lib/platform/errors/http-error.ts";
import type { Log } from "#lib/platform/log/log.ts";
import { type Counters, makeCounters, PLATFORM_TENANT } from "#lib/platform/metrics/counters.ts";
import { reportMetrics } from "#lib/platform/metrics/report-metrics.ts";
import { awsCallMeter } from "#lib/platform/trace/aws-call-attributes.ts";
import { invocationSpans } from "#lib/platform/trace/invocation-spans.ts";
import { serverSpan } from "#lib/platform/trace/server-span.ts";
import type { Span } from "#lib/platform/trace/span.ts";
import { formatTraceparent } from "#lib/platform/trace/traceparent.ts";

/** A Lambda handler that tells its routes, so that the API's description can be made of them. */
export type ApiHandler = APIGatewayProxyHandlerV2 & { routes: Routes };

/** One request on its way; what becomes known of it is told even when it is refused. */
interface Visit {
  event: APIGatewayProxyEventV2;
  headers: Record<string, string>;
  platform: HttpPlatform;
  trace: Span;
  log: Log;
  counters: Counters;
  remainingMs(): number;
  tenant: string;
  admission?: Admission;
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
  const handle = async (event: APIGatewayProxyEventV2, lambda: Context) => {
    const platform = platformOf();
    const { runtime, spanSinks: sinks, requestGate } = platform;
    const headers = lowerCaseNames(event.headers);
    const invocation = { function_name: lambda.functionName, invocation: lambda.awsRequestId };
    const spans = invocationSpans({ service, ...invocation, runtime, log: platform.logOf(service), sinks });
    const trace = serverSpan({ service, event, headers, lambda, recorder: spans.scope(), runtime });
    const log = platform.logOf(service).with({ trace_id: trace.trace_id, route: event.routeKey });
    const counters = makeCounters();
    const started = runtime.now();
    const following = await platform.followConfig?.(platform.logOf(service));
    const remainingMs = () => lambda.getRemainingTimeInMillis();
    const visit: Visit = { event, headers, platform, trace, log, counters, remainingMs, tenant: "unknown" };
    let response: APIGatewayProxyStructuredResultV2;
    try {
      response = toResponse(await answer(visit, routes));
    } catch (error) {
      response = problemResponse(error, trace.trace_id, log);
      setError(trace, response, error);
      if (response.statusCode === 401) counters.count("authentication_failed", PLATFORM_TENANT);
    }
    const { tenant, admission } = visit;
    counters.count(`http_${Math.floor((response.statusCode ?? 500) / 100)}xx`, tenant);
    counters.duration("http", tenant, runtime.now() - started);
    trace.set({ "http.response.status_code": response.statusCode ?? 500 });
    trace.end();
    following?.stop(counters);
    await Promise.all([
      reportMetrics({ service, role: "http" }, counters, platform, log),
      spans.flush(lambda.getRemainingTimeInMillis()),
      auditConfigChanges(following?.takeChanges() ?? [], service, () => auditPorts(platform), log),
    ]);
    response.headers = {
      ...SECURITY_HEADERS,
      ...admission?.headers,
      ...corsHeaders(event.routeKey, headers.origin, requestGate),
      ...response.headers,
      traceparent: formatTraceparent(trace),
    };
    return response;
  };
  return Object.assign(handle, { routes });
}

async function answer(visit: Visit, routes: Routes): Promise<ApiResponse> {
  const { event, headers, platform, trace, log, counters } = visit;
  checkUrl(event);
  const found = routeOf(event, routes);
  if (!found) return answerUnrouted(event, headers, platform.requestGate);
  const identity =
    found.access === "public" ? undefined : await authenticate(found.access, event, headers, platform, log);
  if (identity) {
    const { tenant } = identity;
    visit.tenant = tenant;
    const asked = platform.requestGate?.policyOf({ tenant, route: event.routeKey });
    authorize(identity, asked?.scope ?? requiredScope(found));
  }
  const { tenant } = visit;
  const admission = await admitRequest({ tenant, event, log, counters }, platform);
  visit.admission = admission;
  const request = {
    tenant,
    identity,
    policy: admission.policy,
    body: found.body && parseBody(found.body, event, headers),
    query: parseQuery(found.query ?? NO_QUERY, event.rawQueryString),
    params: event.pathParameters as Record<string, string>,
    headers,
    source_ip: event.requestContext.http.sourceIp,
    trace,
    log: log.with({ tenant }),
    counters,
    platform,
    remainingMs: visit.remainingMs,
  };
  return withCallMeter(awsCallMeter(trace, platform.runtime), () => found.run(request));
}

/** serverless-offline takes HEAD for GET, which API Gateway does not. */
function routeOf({ routeKey, requestContext }: APIGatewayProxyEventV2, routes: Routes): Route | undefined {
  const as_declared = routeKey.startsWith(`${requestContext.http.method} `);
  return as_declared && Object.hasOwn(routes, routeKey) ? routes[routeKey] : undefined;
}

/** To a server's span a client's mistake is no error. */
function setError(span: Span, { statusCode = 500 }: APIGatewayProxyStructuredResultV2, error: unknown): void {
  const code = error instanceof HttpError || error instanceof Fault ? error.code : "UNEXPECTED";
  span.set({ "error.type": code });
  if (statusCode >= 500) span.fail(code, describe(error));
}

function toResponse({ status, body, headers }: ApiResponse): APIGatewayProxyStructuredResultV2 {
  if (Buffer.isBuffer(body)) {
    return {
      statusCode: status,
      headers: { ...headers },
      body: body.toString("base64"),
      isBase64Encoded: true,
    };
  }
  return {
    statusCode: status,
    headers: { ...(body !== undefined && { "content-type": "application/json" }), ...headers },
    body: body === undefined ? "" : JSON.stringify(body),
  };
}

function lowerCaseNames(headers: Record<string, string | undefined>): Record<string, string> {
  const entries = Object.entries(headers).filter(
    (entry): entry is [string, string] => entry[1] !== undefined,
  );
  return Object.fromEntries(entries.map(([name, value]) => [name.toLowerCase(), value]));
}
