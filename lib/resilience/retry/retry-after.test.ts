import { describe, expect, it } from "vitest";
import { requestedWaitMs, retryAfterMs } from "#lib/resilience/retry/retry-after.ts";

const now = Date.parse("2026-11-22T10:00:00Z");

describe("a Retry-After header", () => {
  it.each([
    ["120", 120_000],
    ["0.5", 500],
    ["Sun, 22 Nov 2026 10:01:30 GMT", 90_000],
    ["Sunday, 22-Nov-26 10:00:05 GMT", 5000],
    ["Sun Nov 22 10:00:07 2026 GMT", 7000],
  ])("%s is read", (header, wait_ms) => {
    expect(retryAfterMs(header, now)).toBe(wait_ms);
  });

  it.each([
    null,
    undefined,
    "",
    "0",
    "-5",
    "soon",
    "1e9",

    "Sun, 22 Nov 2026 09:59:00 GMT",
    "Sun, nonsense",
  ])("%s says nothing", (header) => {
    expect(retryAfterMs(header, now)).toBeUndefined();
  });
});

const wait = (headers: Record<string, string>) => requestedWaitMs(new Headers(headers), now);

describe("how long a refusing server asks to wait", () => {
  it.each([
    ["6m0s", 360_000],
    ["1h0m12.5s", 3_612_500],
    ["12ms", 12],
    ["1d2h", 93_600_000],
    ["90", 90_000],
    ["1795428060", 1_795_428_060_000 - now],
    ["1795428060000", 1_795_428_060_000 - now],
    ["2026-11-22T10:05:00Z", 300_000],
    ["Sun, 22 Nov 2026 10:02:00 GMT", 120_000],
  ])("is read from a reset of %s", (value, wait_ms) => {
    expect(wait({ "x-ratelimit-reset-requests": value })).toBe(wait_ms);
    expect(wait({ "X-RateLimit-Reset": value })).toBe(wait_ms);
  });

  it("is Retry-After when there is one, in ms when the server says so", () => {
    expect(wait({ "retry-after": "7", "x-ratelimit-reset-requests": "1h" })).toBe(7000);
    expect(wait({ "retry-after": "7", "retry-after-ms": "6500" })).toBe(6500);
  });

  it("is the longest of the limits that are spent, and of those only", () => {
    const headers = {
      "x-ratelimit-reset-requests": "1h",
      "x-ratelimit-remaining-requests": "12",
      "x-ratelimit-reset-tokens": "5m",
      "x-ratelimit-remaining-tokens": "0",
      "x-ratelimit-reset-input-tokens": "2m",
    };
    expect(wait(headers)).toBe(300_000);
  });

  it.each(["", "soon", "0", "0s", "-1", "2026-11-22T09:00:00Z"])(
    "is not said by a reset of '%s'",
    (value) => {
      expect(wait({ "x-ratelimit-reset": value })).toBeUndefined();
    },
  );

  it("is not said without a header", () => {
    expect(wait({})).toBeUndefined();
  });
});
