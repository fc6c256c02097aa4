import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { ours } from "../../../bench/outage/ours.ts";
import { plain } from "../../../bench/outage/plain.ts";
import { TROUBLES } from "../../../bench/outage/plan.ts";
import { brokenPromises, smallOutage } from "./promises.ts";

const SEEDS = [1, 2, 5];

vi.setConfig({ testTimeout: 900_000 }); // ten seconds of work each, which a busy machine may take long for
const limit = Error.stackTraceLimit;
beforeAll(() => {
  Error.stackTraceLimit = 0;
});
afterAll(() => {
  Error.stackTraceLimit = limit;
});

describe.each(TROUBLES)("an outage of five minutes over 50 environments: $name", ({ name }) => {
  it.each(SEEDS)("loses nothing, multiplies nothing and leaves no herd behind, seed %i", async (seed) => {
    const figures = await smallOutage(ours(), name, seed);
    expect(brokenPromises(figures, name), JSON.stringify(figures)).toEqual([]);
  });
});

describe("a dependency that is well", () => {
  it("is not excused for what fails by itself: that, and no more, is dead-lettered", async () => {
    const poisonous = [60, 120, 121, 180, 240];
    const figures = await smallOutage(ours(), "fails-100", 1, { failing: 0, poisonous });
    const { tasks, dead_lettered, done, amplification } = figures;
    expect({ dead_lettered, done }).toEqual({ dead_lettered: 5, done: tasks - 5 });
    expect(amplification * tasks).toBeLessThan(tasks + 6 * 5); // five tries each, or one more
  });
});

describe("the same outage", () => {
  it("does harm to a queue with nothing but its redrive", async () => {
    const broken = async (receives_max: number, trouble: string) =>
      brokenPromises(await smallOutage(plain(receives_max), trouble, 1), trouble);
    expect(await broken(3, "fails-60")).toContain("none is dead-lettered for the outage");
    expect(await broken(20, "fails-100")).toContain("no herd");
  });
});
