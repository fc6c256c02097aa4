import { describe, expect, it } from "vitest";
import { ALWAYS, addTo, type Traffic } from "#lib/circuit/traffic.ts";
import { WellRate } from "#lib/circuit/well-rate.ts";

const asked = (amount: number): Traffic => {
  const traffic: Traffic = new Map();
  addTo(traffic, ALWAYS, "asked", amount);
  return traffic;
};

describe("the rate while all is well", () => {
  it("is what was asked for between two looks, and is given once", () => {
    const rate = new WellRate();
    rate.notice(asked(100), 10_000, true);
    rate.notice(asked(400), 70_000, true);
    expect(rate.take()).toBe(5);
    expect(rate.take()).toBeUndefined();
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
