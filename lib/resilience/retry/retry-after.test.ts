import { describe, expect, it } from "vitest";
import { retryAfterMs } from "#lib/resilience/retry/retry-after.ts";

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
