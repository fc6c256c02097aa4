const SECONDS = /^\d{1,9}(?:\.\d{1,9})?$/;

/**
 * A `Retry-After` header as a time to wait in ms: seconds or an HTTP date (RFC 9110, section 10.2.3),
 * and the decimals some servers send. Undefined when it is absent, says nothing, or lies in the past.
 */
export function retryAfterMs(header: string | null | undefined, now_ms: number): number | undefined {
  const text = header?.trim() ?? "";
  const wait_ms = SECONDS.test(text) ? Number(text) * 1000 : httpDate(text) - now_ms;
  return wait_ms > 0 ? Math.ceil(wait_ms) : undefined;
}

/** NaN for anything but the three forms of a date that RFC 9110, section 5.6.7 knows. */
function httpDate(text: string): number {
  return /^[A-Z][a-z]{2,8},? /.test(text) ? Date.parse(text) : Number.NaN;
}
