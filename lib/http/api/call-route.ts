import { type ApiAnswer, type ApiCall, type ApiMiddleware, added } from "#lib/http/api/api-call.ts";
import { answerUnrouted } from "#lib/http/api/find-route.ts";
import { NO_QUERY, parseBody, parseQuery } from "#lib/http/request/parse-request.ts";
import type { ApiResponse } from "#lib/http/route.ts";
import { withCallMeter } from "#lib/platform/aws/call-meter.ts";
import { countAwsCall } from "#lib/platform/metrics/count-aws-calls.ts";
import { awsCallMeter } from "#lib/platform/trace/aws-call-attributes.ts";

/** Checks body and query string by the route's schemas. Throws HttpError 400, 413, 415 or 422. */
export function parseRequest(): ApiMiddleware {
  return {
    before: ({ event: call }) => {
      const { route, event, headers } = call;
      if (!route) return;
      call.parsed = {
        body: route.body && parseBody(route.body, event, headers),
        query: parseQuery(route.query ?? NO_QUERY, event.rawQueryString),
      };
    },
  };
}

/** The innermost part of the stack: lets the route answer. */
export async function callRoute(call: ApiCall): Promise<ApiAnswer> {
  const { route, event, headers, platform, tenant, identity, log, counters, lambda } = call;
  if (!route) return toAnswer(await answerUnrouted(event, headers, platform.requestGate));
  const trace = added(call.trace, "traceRequest");
  const meter = awsCallMeter(trace, platform.runtime);
  const request = {
    tenant,
    identity,
    policy: added(call.admission, "applyPolicy").policy,
    ...added(call.parsed, "parseRequest"),
    params: event.pathParameters as Record<string, string>,
    headers,
    source_ip: event.requestContext.http.sourceIp,
    trace,
    log: log.with({ tenant }),
    counters,
    platform,
    remainingMs: () => lambda.getRemainingTimeInMillis(),
  };
  return toAnswer(
    await withCallMeter(
      (aws) => {
        meter(aws);
        countAwsCall(aws, tenant, counters);
      },
      () => route.run(request as never),
    ),
  );
}

function toAnswer({ status, body, headers }: ApiResponse): ApiAnswer {
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
