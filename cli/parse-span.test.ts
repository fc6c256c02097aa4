import { describe, expect, it } from "vitest";
import { moment } from "./parse-option.ts";
import { parseSpan } from "./parse-span.ts";

describe("parseSpan", () => {
  it.each([
    ["90s", 90_000],
    ["15m", 900_000],
    ["12h", 43_200_000],
    ["30d", 2_592_000_000],
    ["2w", 1_209_600_000],
  ])("reads %s", (text, ms) => expect(parseSpan(text)).toBe(ms));

  it.each(["", "30", "d", "-1d", "1.5h", "1y", "1d ", "9999999d"])("refuses %j", (text) => {
    expect(() => parseSpan(text)).toThrow("12h or 30d");
  });
});

describe("a moment", () => {
  const now = Date.parse("2026-11-22T10:00:00.000Z");

  it("is a span ago, or an instant in any time zone", () => {
    expect(moment("1d", now)).toBe("2026-11-21T10:00:00.000Z");
    expect(moment("2026-11-22T10:00:00+02:00", now)).toBe("2026-11-22T08:00:00.000Z");
    expect(moment("2026-11-22", now)).toBe("2026-11-22T00:00:00.000Z");
  });

  it.each(["yesterday", "2026-13-01", "22.11.2026", ""])("is not %j", (text) => {
    expect(() => moment(text, now)).toThrow("RFC 3339");
  });
});
