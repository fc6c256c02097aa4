const SECONDS = /^\d{1,9}(?:\.\d{1,9})?$/;
/** A duration as OpenAI sends it: `1h2m3.5s`, `6m0s`, `12ms`. */
const DURATION = /^(?:(\d+)d)?(?:(\d+)h)?(?:(\d+)m(?!s))?(?:(\d+(?:\.\d+)?)s)?(?:(\d+(?:\.\d+)?)ms)?$/;
const UNITS_MS = [86_400_000, 3_600_000, 60_000, 1000, 1];
const RESET_HEADER = /^x-ratelimit-reset(?<limit>-.+)?$/;
/** A reset value of at least this is Unix time (in ms, in s), not a number of seconds to wait. */
const UNIX_MS_MIN = 1e12;
const UNIX_SECONDS_MIN = 1e9;

/**
 * The time to wait that a `Retry-After` header asks for, in ms. It holds seconds or an HTTP date (RFC 9110,
 * section 10.2.3); the decimals that some servers send are accepted. Undefined when the header is absent,
 * unreadable or in the past.
 */
export function retryAfterMs(header: string | null | undefined, now_ms: number): number | undefined {
  const text = header?.trim() ?? "";
  const wait_ms = SECONDS.test(text) ? Number(text) * 1000 : httpDate(text) - now_ms;
  return wait_ms > 0 ? Math.ceil(wait_ms) : undefined;
}

/**
 * The time to wait that the headers of a refused request ask for, in ms. Read are, in this order:
 * `retry-after-ms` (Azure, OpenAI), `Retry-After`, and the latest `x-ratelimit-reset[-requests|-tokens]` of
 * the limits whose `-remaining` is 0. OpenAI sends a reset as a duration, others as seconds, Unix time or a
 * date (https://platform.openai.com/docs/guides/rate-limits#rate-limits-in-headers). Undefined when no
 * header asks for a wait.
 */
export function requestedWaitMs(headers: Headers, now_ms: number): number | undefined {
  const exact_ms = Number(headers.get("retry-after-ms"));
  if (exact_ms > 0) return Math.ceil(exact_ms);
  const after_ms = retryAfterMs(headers.get("retry-after"), now_ms);
  if (after_ms !== undefined) return after_ms;
  const waits_ms = [...headers].flatMap(([name, value]) => {
    const reset = RESET_HEADER.exec(name);
    if (!reset || !isSpent(headers, reset.groups?.limit ?? "")) return [];
    return [resetMs(value.trim(), now_ms)].filter((wait_ms) => wait_ms > 0);
  });
  return waits_ms.length > 0 ? Math.ceil(Math.max(...waits_ms)) : undefined;
}

/** NaN for anything but the three date formats of RFC 9110, section 5.6.7. */
function httpDate(text: string): number {
  return /^[A-Z][a-z]{2,8},? /.test(text) ? Date.parse(text) : Number.NaN;
}

function isSpent(headers: Headers, limit: string): boolean {
  const remaining = headers.get(`x-ratelimit-remaining${limit}`);
  return remaining === null || Number(remaining) <= 0;
}

/** Time until a limit is reset, in ms; 0 or NaN when the value cannot be read. */
function resetMs(value: string, now_ms: number): number {
  if (/^\d+(?:\.\d+)?$/.test(value)) {
    const number = Number(value);
    if (number >= UNIX_MS_MIN) return number - now_ms;
    return number >= UNIX_SECONDS_MIN ? number * 1000 - now_ms : number * 1000;
  }
  const parts = DURATION.exec(value);
  if (!parts) return Date.parse(value) - now_ms;
  return UNITS_MS.reduce((sum, unit_ms, index) => sum + Number(parts[index + 1] ?? 0) * unit_ms, 0);
}
