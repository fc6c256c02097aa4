import type { APIGatewayProxyEventV2, Context } from "aws-lambda";
import type { Runtime } from "#lib/platform/runtime/runtime.ts";
import { faasAttributes } from "#lib/platform/trace/faas-attributes.ts";
import { type Span, startSpan } from "#lib/platform/trace/span.ts";
import type { SpanRecorder } from "#lib/platform/trace/span-recorder.ts";
import { parseTraceparent } from "#lib/platform/trace/traceparent.ts";

interface Request {
  service: string;
  event: APIGatewayProxyEventV2;
  /** Header names in lower case. */
  headers: Record<string, string>;
  lambda: Pick<Context, "awsRequestId" | "functionName">;
  recorder: SpanRecorder;
  runtime: Runtime;
}

/**
 * The span of one HTTP request, below the client's when it sent a `traceparent`, else the root of a
 * new trace (https://opentelemetry.io/docs/specs/semconv/http/http-spans/#http-server).
 */
export function serverSpan({ service, event, headers, lambda, recorder, runtime }: Request): Span {
  const { method, path } = event.requestContext.http;
  const client = parseTraceparent(headers.traceparent, headers.tracestate);
  const route = event.routeKey.includes(" ") ? event.routeKey.split(" ")[1] : undefined;
  const user_agent = headers["user-agent"];
  return startSpan(
    client,
    {
      recorder,
      name: route ? `${method} ${route}` : method,
      kind: "server",
      attributes: {
        "http.request.method": method,
        "url.path": path,
        ...(route && { "http.route": route }),
        ...(user_agent && { "user_agent.original": user_agent }),
        ...faasAttributes("http", service, lambda),
      },
    },
    runtime,
  );
}
