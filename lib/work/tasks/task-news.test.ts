import { describe, expect, it } from "vitest";
import { lookAgain } from "#lib/work/tasks/task-news.ts";

describe("following a task that nobody tells of", () => {
  it("looks again ever more rarely, at least once a second, and never past the wait", async () => {
    const slept: number[] = [];
    const news = lookAgain({ sleep: async (ms) => void slept.push(ms) })({
      ...{ tenant: "acme", task_id: "task_1", end_only: true },
    });
    for (let looks = 0; looks < 9; looks += 1) expect(await news.next(20_000)).toBe(true);
    await news.next(30);
    expect(slept.slice(0, 3)).toEqual([100, 150, 225]);
    expect(slept.slice(-3)).toEqual([1000, 1000, 30]);
  });
});
