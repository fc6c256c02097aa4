import { retryAfterMs } from "#lib/resilience/retry/retry-after.ts";

/** `1h2m3.5s`, `6m0s`, `12ms`: how OpenAI writes a time to wait. */
const DURATION = /^(?:(\d+)d)?(?:(\d+)h)?(?:(\d+)m(?!s))?(?:(\d+(?:\.\d+)?)s)?(?:(\d+(?:\.\d+)?)ms)?$/;
const UNITS_MS = [86_400_000, 3_600_000, 60_000, 1000, 1];
const RESET = /^x-ratelimit-reset(?<limit>-.+)?$/;
/** Numbers above these are points in time, not seconds to wait: Unix time in ms, in seconds. */
const UNIX_MS_MIN = 1e12;
const UNIX_SECONDS_MIN = 1e9;

/**
 * How long a refusing server asks to wait, in ms: `retry-after-ms` (Azure, OpenAI), `Retry-After`, or
 * the latest `x-ratelimit-reset[-requests|-tokens]` of a limit whose `-remaining` is not above 0.
 * OpenAI sends these as durations, others as seconds, Unix time or dates
 * (https://platform.openai.com/docs/guides/rate-limits#rate-limits-in-headers). Undefined when it
 * asks for nothing.
 */
export function askedWaitMs(headers: Headers, now_ms: number): number | undefined {
  const exact_ms = Number(headers.get("retry-after-ms"));
  if (exact_ms > 0) return Math.ceil(exact_ms);
  const asked_ms = retryAfterMs(headers.get("retry-after"), now_ms);
  if (asked_ms !== undefined) return asked_ms;
  const waits_ms = [...headers].flatMap(([name, value]) => {
    const reset = RESET.exec(name);
    if (!reset || !isSpent(headers, reset.groups?.limit ?? "")) return [];
    return [resetMs(value.trim(), now_ms)].filter((wait_ms) => wait_ms > 0);
  });
  return waits_ms.length > 0 ? Math.ceil(Math.max(...waits_ms)) : undefined;
}

function isSpent(headers: Headers, limit: string): boolean {
  const remaining = headers.get(`x-ratelimit-remaining${limit}`);
  return remaining === null || Number(remaining) <= 0;
}

/** 0 or NaN when the value says nothing. */
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
