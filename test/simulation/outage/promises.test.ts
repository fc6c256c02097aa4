import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { ours } from "../../../bench/outage/ours.ts";
import { plain } from "../../../bench/outage/plain.ts";
import { TROUBLES } from "../../../bench/outage/plan.ts";
import { brokenPromises, smallOutage } from "./promises.ts";

const SEEDS = [1, 2, 5];

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

describe("the same outage", () => {
  it("does harm to a queue with nothing but its redrive", async () => {
    const broken = async (receives_max: number, trouble: string) =>
      brokenPromises(await smallOutage(plain(receives_max), trouble, 1), trouble);
    expect(await broken(3, "fails-60")).toContain("none is dead-lettered for the outage");
    expect(await broken(20, "fails-100")).toContain("no herd");
  });
});
