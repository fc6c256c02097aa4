import type { ApiAnswer, ApiCall, ApiMiddleware } from "#lib/http/api/api-call.ts";
import { serverSpan } from "#lib/platform/trace/entry-spans.ts";

/** Records the request in a span, below the caller's when it sent a `traceparent`, and logs its trace id. */
export function traceRequest(): ApiMiddleware {
  const end = ({ event, response }: { event: ApiCall; response?: ApiAnswer | null | undefined }) => {
    event.trace?.set({ "http.response.status_code": response?.statusCode ?? 500 });
    event.trace?.end();
  };
  return {
    before: ({ event: call }) => {
      const { service, event, headers, lambda, spans, platform } = call;
      const recorder = spans.scope();
      const trace = serverSpan({ service, event, headers, lambda, recorder, runtime: platform.runtime });
      call.trace = trace;
      call.log = call.log.with({ trace_id: trace.trace_id, route: event.routeKey });
    },
    after: end,
    onError: end,
  };
}
