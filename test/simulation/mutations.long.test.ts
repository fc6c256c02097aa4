import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { mutations } from "./mutations.ts";
import { simulateSeed } from "./simulate-seed.ts";

/** Seeds until the mutation must have been noticed. */
const SEEDS_MAX = 2500;

const limit = Error.stackTraceLimit;
beforeAll(() => {
  Error.stackTraceLimit = 0;
});
afterAll(() => {
  Error.stackTraceLimit = limit;
});

describe("the simulation notices when", () => {
  it.each(mutations)("$name", async ({ breaks, first_seed = 1, ...mutation }) => {
    for (let seed = first_seed; seed < first_seed + SEEDS_MAX; seed += 1) {
      const [violation] = (await simulateSeed(seed, { mutation })).violations;
      if (!violation) continue;
      expect(breaks, `seed ${seed}: ${violation.detail}`).toContain(violation.invariant);
      return;
    }
    expect.fail(`no invariant was broken in ${SEEDS_MAX} seeds`);
  });
});
