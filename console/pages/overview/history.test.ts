import { describe, expect, it } from "vitest";
import { historyOf, quantile, type RecentTasks } from "./history.ts";

const NOW = Date.parse("2026-01-02T12:00:30.000Z");
const task = (accepted: number, took_ms: number | undefined, verdict: "passed" | "failed" = "passed") =>
  ({
    created_at: new Date(NOW - accepted).toISOString(),
    ...(took_ms !== undefined && { ended_at: new Date(NOW - accepted + took_ms).toISOString(), verdict }),
  }) as RecentTasks["tasks"][number];
const sum = (counts: readonly number[]) => counts.reduce((total, count) => total + count, 0);

describe("the last 24 hours by intervals", () => {
  it("count each task that ended once, in the interval in which it ended", () => {
    const tasks = [task(60_000, 1000), task(120_000, 90_000, "failed"), task(10_000, undefined)];
    const history = historyOf({ tasks, is_whole: true }, NOW);
    expect([sum(history.passed), sum(history.other)]).toEqual([1, 1]);
    const failed_at = history.times[history.other.indexOf(1)] ?? 0;
    expect(failed_at).toBe(Math.floor((NOW - 30_000) / 60_000) * 60);
    expect(history.p95_ms[history.other.indexOf(1)]).toBe(90_000);
  });

  it("cover the whole day with at most 49 intervals", () => {
    const tasks = [task(86_000_000, 1000), task(1000, 500)];
    const history = historyOf({ tasks, is_whole: true }, NOW);
    expect(history.times.length).toBeLessThanOrEqual(49);
    expect(sum(history.passed)).toBe(2);
  });

  it("are none without tasks", () => {
    expect(historyOf({ tasks: [], is_whole: true }, NOW).times).toEqual([]);
  });
});

describe("a quantile", () => {
  it.each([
    [[], 0.5, null],
    [[7], 0.95, 7],
    [[4, 1, 3, 2], 0.5, 2],
    [Array.from({ length: 100 }, (_, index) => index + 1), 0.95, 95],
  ])("of %j at %d is %j", (values, share, expected) => {
    expect(quantile(values, share)).toBe(expected);
  });
});
