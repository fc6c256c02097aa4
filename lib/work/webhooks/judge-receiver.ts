import { Fault, RetryableFault, ThrottledFault } from "#lib/platform/errors/fault.ts";
import type { PostAnswer } from "#lib/platform/outbound/post.ts";
import { retryAfterMs } from "#lib/resilience/retry/retry-after.ts";

const dependency = "webhook";
/** Longest Retry-After that is honoured: the next attempt must come before the deadline of the message. */
const RETRY_AFTER_MS_MAX = 3_600_000;

/** Statuses below 500 that allow a later attempt: Request Timeout (RFC 9110), Too Early (RFC 8470), Too Many Requests (RFC 6585). */
const LATER = [408, 425, 429];

/**
 * The fault that a response stands for; undefined when the receiver accepted the event (2xx).
 *
 * ThrottledFault `WEBHOOK_THROTTLED`: 429; 408, 425 and 503 with Retry-After.
 * RetryableFault `WEBHOOK_UNAVAILABLE`: 5xx, 408, 425.
 * RetryableFault `WEBHOOK_REDIRECTS` (3xx, not followed) and `WEBHOOK_REFUSED` (any other): the receiver answered, so
 * they do not open its circuit, and the retry policy allows them few attempts.
 */
export function refusalOf({ status, headers }: PostAnswer, now_ms: number): Fault | undefined {
  if (status >= 200 && status < 300) return undefined;
  const asked_ms = retryAfterMs(headers.get("retry-after"), now_ms);
  const says_later = LATER.includes(status) || status === 503;
  if (status === 429 || (says_later && asked_ms !== undefined)) {
    const retry_after_ms = asked_ms === undefined ? undefined : Math.min(asked_ms, RETRY_AFTER_MS_MAX);
    return new ThrottledFault(
      "WEBHOOK_THROTTLED",
      `the receiver answered ${status}: it asks for a later attempt`,
      {
        retry_after_ms,
        dependency,
      },
    );
  }
  if (status >= 500 || says_later) {
    return new RetryableFault("WEBHOOK_UNAVAILABLE", `the receiver answered ${status}`, { dependency });
  }
  if (status >= 300 && status < 400) {
    return new RetryableFault(
      "WEBHOOK_REDIRECTS",
      `the receiver answered ${status}, and redirects are not followed: give the webhook its final URL`,
      { dependency, dependency_answered: true },
    );
  }
  return new RetryableFault("WEBHOOK_REFUSED", `the receiver answered ${status}`, {
    dependency,
    dependency_answered: true,
  });
}

/** The fault for a delivery without a response. A Fault stays as it is; any other error becomes retryable. */
export function unreachable(error: unknown, signal: AbortSignal, timeout_seconds: number): unknown {
  if (error instanceof Fault || signal.aborted) return error;
  if (error instanceof Error && error.name === "TimeoutError") {
    const said = `the receiver did not answer within ${timeout_seconds} s`;
    return new RetryableFault("WEBHOOK_LATE", said, { cause: error, dependency });
  }
  const code = error instanceof Error && "code" in error ? String(error.code) : "UNKNOWN";
  const said = `no connection to the receiver (${code})`;
  return new RetryableFault("WEBHOOK_UNREACHABLE", said, { cause: error, dependency });
}
