import type {
  APIGatewayProxyEventV2,
  APIGatewayProxyHandlerV2,
  APIGatewayProxyStructuredResultV2,
  Context,
} from "aws-lambda";
import type { z } from "zod";
import { awsPlatform, type Platform } from "#lib/agent/platform.ts";
import { auditConfigChanges } from "#lib/audit/audit-config-changes.ts";
import { auditPorts } from "#lib/audit/audit-ports.ts";
import type { Identity } from "#lib/auth/identity.ts";
import { type Access, authorize, requiredScope } from "#lib/auth/required-scope.ts";
import { withCallMeter } from "#lib/aws/call-meter.ts";
import { Fault } from "#lib/errors/fault.ts";
import { authenticate } from "#lib/http/authenticate.ts";
import { HttpError } from "#lib/http/http-error.ts";
import { parseBody, parseQuery } from "#lib/http/parse-request.ts";
import { problemResponse } from "#lib/http/problem.ts";
import type { Log } from "#lib/log/log.ts";
import { type Counters, makeCounters, PLATFORM_TENANT } from "#lib/metrics/counters.ts";
import { reportMetrics } from "#lib/metrics/report-metrics.ts";
import { awsCallMeter } from "#lib/trace/aws-call-attributes.ts";
import { invocationSpans } from "#lib/trace/invocation-spans.ts";
import { serverSpan } from "#lib/trace/server-span.ts";
import type { Span } from "#lib/trace/span.ts";
import { formatTraceparent } from "#lib/trace/traceparent.ts";

export interface ApiRequest<Body, Query> {
  tenant: string;
  /** Who asks; undefined on a public route. */
  identity: Identity | undefined;
  body: Body;
  query: Query;
  params: Record<string, string>;
  /** Header names in lower case. */
  headers: Record<string, string>;
  /** Where it comes from, as API Gateway saw it. */
  source_ip: string;
  /** The request's span; it is kept with a task once that is told to its recorder. */
  trace: Span;
  log: Log;
  counters: Counters;
  platform: Platform;
  remainingMs(): number;
}

export interface ApiResponse {
  status: number;
  /** JSON unless it is a Buffer. */
  body?: unknown;
  headers?: Record<string, string>;
}

type RouteDefinition<Body extends z.ZodType, Query extends z.ZodType> = Access & {
  body?: Body;
  query?: Query;
  run(request: ApiRequest<z.output<Body>, z.output<Query>>): Promise<ApiResponse>;
};

export type Route = RouteDefinition<z.ZodType, z.ZodType>;

/** One route with its body and query types inferred from its schemas. */
export function route<Body extends z.ZodType, Query extends z.ZodType>(
  definition: RouteDefinition<Body, Query>,
): Route {
  return definition as unknown as Route;
}

/**
 * A Lambda handler for HTTP API routes, by their route keys (`GET /api/tasks/{id}`). A route not
 * named here is closed. Every answer carries a traceparent; every error is problem+json.
 */
export function defineApi(
  service: string,
  routes: Record<string, Route>,
  platformOf: () => Platform = awsPlatform,
): APIGatewayProxyHandlerV2 {
  return async (event: APIGatewayProxyEventV2, lambda: Context) => {
    const platform = platformOf();
    const { runtime, spanSinks: sinks } = platform;
    const headers = lowerCaseNames(event.headers);
    const invocation = { function_name: lambda.functionName, invocation: lambda.awsRequestId };
    const spans = invocationSpans({ service, ...invocation, runtime, log: platform.logOf(service), sinks });
    const trace = serverSpan({ service, event, headers, lambda, recorder: spans.scope(), runtime });
    const log = platform.logOf(service).with({ trace_id: trace.trace_id, route: event.routeKey });
    const counters = makeCounters();
    const started = runtime.now();
    const following = await platform.followConfig?.(platform.logOf(service));
    let tenant = "unknown";
    let response: APIGatewayProxyStructuredResultV2;
    try {
      const found = routes[event.routeKey];
      if (!found) {
        const { method, path } = event.requestContext.http;
        throw new HttpError(404, "ROUTE_UNKNOWN", `there is no ${method} ${path}`);
      }
      const identity =
        found.access === "public"
          ? undefined
          : await authenticate(found.access, event, headers, platform, log);
      if (identity) {
        tenant = identity.tenant;
        authorize(identity, requiredScope(found));
      }
      const request = {
        tenant,
        identity,
        body: found.body && parseBody(found.body, event, headers),
        query: found.query && parseQuery(found.query, event.queryStringParameters ?? {}),
        params: event.pathParameters as Record<string, string>,
        headers,
        source_ip: event.requestContext.http.sourceIp,
        trace,
        log: log.with({ tenant }),
        counters,
        platform,
        remainingMs: () => lambda.getRemainingTimeInMillis(),
      };
      response = toResponse(await withCallMeter(awsCallMeter(trace, runtime), () => found.run(request)));
    } catch (error) {
      response = problemResponse(error, trace.trace_id, log);
      setError(trace, response, error);
      if (response.statusCode === 401) counters.count("authentication_failed", PLATFORM_TENANT);
    }
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
      ...response.headers,
      traceparent: formatTraceparent(trace),
      "x-content-type-options": "nosniff",
    };
    return response;
  };
}

/** To a server's span a client's mistake is no error. */
function setError(span: Span, { statusCode = 500 }: APIGatewayProxyStructuredResultV2, error: unknown): void {
  const code = error instanceof HttpError || error instanceof Fault ? error.code : "UNEXPECTED";
  span.set({ "error.type": code });
  if (statusCode >= 500) span.fail(code, String(error));
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
    headers: { "content-type": "application/json", "cache-control": "no-store", ...headers },
    body: body === undefined ? "" : JSON.stringify(body),
  };
}

function lowerCaseNames(headers: Record<string, string | undefined>): Record<string, string> {
  const entries = Object.entries(headers).filter(
    (entry): entry is [string, string] => entry[1] !== undefined,
  );
  return Object.fromEntries(entries.map(([name, value]) => [name.toLowerCase(), value]));
}
