import { describe, expect, it } from "vitest";
import { ALWAYS, addTo, type Traffic } from "#lib/resilience/circuit/traffic.ts";
import { WellRate } from "#lib/resilience/circuit/well-rate.ts";

/** So many calls asked for ever, each of which took two seconds. */
const asked = (amount: number): Traffic => {
  const traffic: Traffic = new Map();
  addTo(traffic, ALWAYS, "asked", amount);
  addTo(traffic, ALWAYS, "busy_ms", 2000 * amount);
  return traffic;
};

describe("what is usual while all is well", () => {
  it("is what was asked for, and was under way, between two looks, and is given once", () => {
    const rate = new WellRate();
    rate.notice(asked(100), 10_000, true);
    rate.notice(asked(400), 70_000, true);
    expect(rate.take()).toEqual({ per_second: 5, in_flight: 10 });
    expect(rate.take()).toBeUndefined();
  });

  it("is measured from the second look on, over five minutes at most, so that chance tells little", () => {
    const rate = new WellRate();
    rate.notice(asked(0), 0, true);
    for (let minute = 1; minute <= 20; minute += 1) {
      const extra = minute % 2; // what chance adds
      rate.notice(asked(600 + 60 * (minute + extra)), 60_000 * minute, true);
      if (minute >= 10) expect(Math.abs(rate.take()!.per_second - 1)).toBeLessThanOrEqual(0.2);
    }
  });

  it("is not measured from one look alone, nor over trouble, nor by a clock that stands", () => {
    const rate = new WellRate();
    rate.notice(asked(100), 10_000, true);
    rate.notice(asked(200), 10_000, true);
    rate.notice(asked(400), 70_000, false);
    rate.notice(asked(500), 80_000, true);
    expect(rate.take()).toBeUndefined();
  });
});
