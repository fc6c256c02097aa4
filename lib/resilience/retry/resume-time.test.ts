import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type Parking, resumeTime } from "#lib/resilience/retry/resume-time.ts";

const HOUR = 3_600_000;
const chance = fc.double({ min: 0, max: 1, noNaN: true, maxExcluded: true });
const policy = { park_spread_ratio: 1 };

/** An outage of `outage_s` seconds in which one piece of work arrives each second. */
function returns(outage_s: number, known: boolean): number[] {
  let seed = 7;
  const random = () => {
    seed = (seed * 48_271) % 2_147_483_647;
    return seed / 2_147_483_647;
  };
  return Array.from({ length: outage_s }, (_, second) => {
    const at = second * 1000;
    const until_ms = outage_s * 1000;
    const since = known ? { since_ms: 0 } : {};
    const parking: Parking = { now_ms: at, until_ms, parked_at: at, deadline_ms: 24 * HOUR, ...since };
    return resumeTime(parking, policy, random);
  });
}

describe("when parked work is tried again", () => {
  it("is never before the time it waits for, and at most half the way from there to its deadline", () => {
    const times = fc.record({
      now_ms: fc.integer({ min: 0, max: HOUR }),
      until_ms: fc.integer({ min: 0, max: 2 * HOUR }),
      parked_at: fc.integer({ min: 0, max: HOUR }),
      deadline_ms: fc.integer({ min: 0, max: 4 * HOUR }),
      since_ms: fc.option(fc.integer({ min: 0, max: HOUR }), { nil: undefined }),
    });
    fc.assert(
      fc.property(times, chance, (parking, draw) => {
        const at = resumeTime(parking, policy, () => draw);
        const until = Math.max(parking.now_ms, parking.until_ms);
        expect(at).toBeGreaterThanOrEqual(until);
        expect(at - until).toBeLessThanOrEqual(Math.max(0, (parking.deadline_ms - until) / 2) + 1);
      }),
    );
  });

  it("is at the same pace as the work came in, when it is known since when the dependency refuses", () => {
    const outage_s = 1800;
    const at = returns(outage_s, true).map((ms) => ms / 1000 - outage_s);
    for (let second = 0; second < 2 * outage_s; second += 60) {
      const in_a_minute = at.filter((returned) => returned >= second && returned < second + 60).length;
      expect(in_a_minute).toBeLessThanOrEqual(60); // beside 60 new ones: twice the usual
    }
    expect(at[0]).toBeLessThan(1); // what tripped it first is not kept waiting
  });

  it("is spread over as long as it was kept away, when that is not known", () => {
    const outage_s = 1800;
    const at = returns(outage_s, false).map((ms) => ms / 1000 - outage_s);
    expect(Math.max(...at)).toBeLessThanOrEqual(outage_s);
    expect(Math.max(...at)).toBeGreaterThan(outage_s / 2);
  });

  it("does not depend on how much work a tenant has parked", () => {
    const alone: Parking = { now_ms: 0, until_ms: HOUR, parked_at: 0, since_ms: 0, deadline_ms: 9 * HOUR };
    const lone = resumeTime(alone, policy, () => 0.9);
    const many = Array.from({ length: 1000 }, (_, ms) =>
      resumeTime({ ...alone, now_ms: ms * 100, parked_at: ms * 100 }, policy, () => 0.5),
    );
    expect(many.filter((at) => at < lone)).toEqual([]);
  });

  it("is at once what it waits for when the ratio is 0", () => {
    const parking = { now_ms: 0, until_ms: HOUR, parked_at: 0, deadline_ms: 9 * HOUR };
    expect(resumeTime(parking, { park_spread_ratio: 0 }, () => 0.9)).toBe(HOUR);
  });
});
