import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type BackoffPolicy, backoffMs } from "#lib/resilience/retry/backoff.ts";

const full: BackoffPolicy = {
  jitter: "full",
  backoff_ms_base: 100,
  backoff_ms_max: 1000,
  throttle_backoff_ms_base: 400,
};
const decorrelated: BackoffPolicy = { ...full, jitter: "decorrelated" };
const longest = () => 1;

const policies = fc
  .record({
    jitter: fc.constantFrom("full" as const, "decorrelated" as const),
    backoff_ms_base: fc.integer({ min: 1, max: 10_000 }),
    throttle_backoff_ms_base: fc.integer({ min: 1, max: 10_000 }),
    backoff_ms_max: fc.integer({ min: 10_000, max: 43_200_000 }),
  })
  .map((policy): BackoffPolicy => policy);
const chance = fc.double({ min: 0, max: 1, noNaN: true, maxExcluded: true });

/** Waits before attempt `attempt + 1` for a thousand evenly spaced draws, ascending. */
function spread(policy: BackoffPolicy, attempt: number): number[] {
  let seed = 1;
  const random = () => {
    seed = (seed * 48_271) % 2_147_483_647; // Park and Miller, 1988
    return seed / 2_147_483_647;
  };
  return Array.from({ length: 1000 }, () => backoffMs(policy, "retry", attempt, random)).sort(
    (a, b) => a - b,
  );
}

describe("back-off", () => {
  it("never exceeds the cap and never goes below nothing, whatever the policy and the draw", () => {
    fc.assert(
      fc.property(policies, fc.integer({ min: 0, max: 200 }), chance, (policy, attempt, draw) => {
        const wait_ms = backoffMs(policy, "retry", attempt, () => draw);
        expect(wait_ms).toBeGreaterThanOrEqual(policy.jitter === "full" ? 0 : policy.backoff_ms_base);
        expect(wait_ms).toBeLessThanOrEqual(policy.backoff_ms_max);
      }),
    );
  });

  it("starts higher when throttled", () => {
    expect(backoffMs(full, "throttle", 1, longest)).toBe(400);
    expect(backoffMs(decorrelated, "throttle", 1, () => 0)).toBe(400);
  });
});

describe("full jitter", () => {
  it("doubles its ceiling with every attempt, up to the cap", () => {
    const waits = [1, 2, 3, 4, 5, 50].map((attempt) => backoffMs(full, "retry", attempt, longest));
    expect(waits).toEqual([100, 200, 400, 800, 1000, 1000]);
  });

  it("spreads waits evenly over the whole range", () => {
    const waits = spread(full, 4);
    const quarters = [200, 400, 600].map((limit) => waits.filter((wait_ms) => wait_ms <= limit).length);
    for (const [index, amount] of quarters.entries()) {
      expect(Math.abs(amount - 250 * (index + 1))).toBeLessThan(60);
    }
  });
});

describe("decorrelated jitter", () => {
  it("draws each wait from the base to three times the wait before, up to the cap", () => {
    const waits = [1, 2, 3].map((attempt) => backoffMs(decorrelated, "retry", attempt, longest));
    expect(waits).toEqual([300, 900, 1000]);
    expect(backoffMs(decorrelated, "retry", 3, () => 0)).toBe(100);
  });

  it("never comes back before the base, and grows on average", () => {
    const means = [1, 2, 3].map((attempt) => {
      const waits = spread(decorrelated, attempt);
      expect(waits[0]).toBeGreaterThanOrEqual(100);
      return waits.reduce((sum, wait_ms) => sum + wait_ms, 0) / waits.length;
    });
    expect(means).toEqual([...means].sort((a, b) => a - b));
    expect(means[0]).toBeCloseTo(200, -2);
  });
});
