import { STATUS_CODES } from "node:http";
import type { ApiAnswer, ApiMiddleware } from "#lib/http/api/api-call.ts";
import type { ErrorCode } from "#lib/platform/errors/codes.ts";
import { Fault, ParkedFault, RejectedInput } from "#lib/platform/errors/fault.ts";
import { HttpError } from "#lib/platform/errors/http-error.ts";
import { outwardText } from "#lib/platform/errors/outward-text.ts";
import type { Log } from "#lib/platform/log/log.ts";
import type { Span } from "#lib/platform/trace/span.ts";
import type { Problem } from "#schemas/http/task-view.ts";

/** Answers an error with problem details, and tells the request's span of it. */
export function problemDetails(): ApiMiddleware {
  return {
    onError: (request) => {
      const { error, event: call } = request;
      const response = problemResponse(error, call.trace?.trace_id ?? "", call.log);
      if (call.trace) setError(call.trace, response, error);
      request.response = response; // not returned, for middy would skip the middlewares further out
    },
  };
}

/** For a server's span a mistake of the client is no error. */
function setError(span: Span, { statusCode = 500 }: ApiAnswer, error: unknown): void {
  const code = error instanceof HttpError || error instanceof Fault ? error.code : "UNEXPECTED";
  span.set({ "error.type": code });
  if (statusCode >= 500) span.fail(code, describe(error));
}

/**
 * Any error as problem details (RFC 9457). What nobody foresaw answers 500 with the code
 * `INTERNAL` and nothing of the error; the log has it under the same trace.
 */
export function problemResponse(error: unknown, trace_id: string, log: Log): ApiAnswer {
  const known = refusalOf(error);
  if (!known) {
    log.error("REQUEST_FAILED", `a request failed: ${describe(error)}`, {
      stack: error instanceof Error ? error.stack : undefined,
    });
  }
  const { status, code, message, errors, headers } =
    known ?? new HttpError("INTERNAL", "something went wrong on our side; the trace id finds it in the log");
  const body: Problem = {
    type: `urn:distributed-agents:problem:${code.toLowerCase()}`,
    title: STATUS_CODES[status] ?? "Error",
    status,
    code,
    detail: outwardText(message),
    trace_id,
    ...(errors && { errors }),
  };
  return {
    statusCode: status,
    headers: { "content-type": "application/problem+json", ...headers },
    body: JSON.stringify(body),
  };
}

/** For the log. Anything may be thrown, also what has no text. */
function describe(error: unknown): string {
  try {
    return String(error);
  } catch {
    return "something that has no text";
  }
}

type Refusal = Pick<HttpError, "message" | "errors" | "headers"> & { status: number; code: ErrorCode };

const refusal = (status: number, { code, message }: Fault, headers: Record<string, string> = {}) => ({
  status,
  code: code as ErrorCode,
  message,
  errors: undefined,
  headers,
});

/** What a caller may be told; undefined for an error of ours. */
function refusalOf(error: unknown): Refusal | undefined {
  if (error instanceof HttpError) return error;
  if (error instanceof RejectedInput) return refusal(422, error);
  if (error instanceof ParkedFault && error.code === "RECORD_NEWER") {
    return refusal(503, error, { "retry-after": String(Math.ceil((error.retry_after_ms ?? 0) / 1000)) });
  }
  return undefined;
}
