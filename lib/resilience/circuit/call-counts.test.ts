import { describe, expect, it } from "vitest";
import { addCount, type CallCounts, LIFETIME, UsualLoadMeter } from "#lib/resilience/circuit/call-counts.ts";

/** So many calls asked for ever, each of which took two seconds. */
const asked = (amount: number): CallCounts => {
  const counts: CallCounts = new Map();
  addCount(counts, LIFETIME, "asked", amount);
  addCount(counts, LIFETIME, "busy_ms", 2000 * amount);
  return counts;
};

describe("the usual load", () => {
  it("is the calls asked for, and in flight, between two readings, and is given once", () => {
    const meter = new UsualLoadMeter();
    meter.read(asked(100), 10_000, true);
    meter.read(asked(400), 70_000, true);
    expect(meter.take()).toEqual({ per_second: 5, in_flight: 10 });
    expect(meter.take()).toBeUndefined();
  });

  it("is measured from the second reading on, over up to five minutes, so that chance matters little", () => {
    const meter = new UsualLoadMeter();
    meter.read(asked(0), 0, true);
    for (let minute = 1; minute <= 20; minute += 1) {
      const extra = minute % 2; // what chance adds
      meter.read(asked(600 + 60 * (minute + extra)), 60_000 * minute, true);
      if (minute >= 10) expect(Math.abs(meter.take()!.per_second - 1)).toBeLessThanOrEqual(0.2);
    }
  });

  it("is not measured from one reading alone, nor in trouble, nor by a clock that stands still", () => {
    const meter = new UsualLoadMeter();
    meter.read(asked(100), 10_000, true);
    meter.read(asked(200), 10_000, true);
    meter.read(asked(400), 70_000, false);
    meter.read(asked(500), 80_000, true);
    expect(meter.take()).toBeUndefined();
  });
});
