import { describe, expect, it } from "vitest";
import { fairChance, fairLevel } from "#lib/resilience/circuit/admission-limits.ts";
import {
  addCount,
  type CallCounts,
  type Totals,
  tenantSlots,
  totalsOf,
} from "#lib/resilience/circuit/call-counts.ts";

/** Counts as the sketch keeps them, of so many calls a tenant. */
function counted(calls: Record<string, number>): Totals {
  const counts: CallCounts = new Map();
  for (const [tenant, amount] of Object.entries(calls)) {
    for (const slot of tenantSlots(tenant)) addCount(counts, 1, slot, amount);
  }
  return totalsOf([counts], 0);
}

describe("the fair share of the calls that are admitted", () => {
  it("is divided so that no one gets less for someone who wants more", () => {
    expect(fairLevel([1, 1000], 500)).toBe(499);
    expect(fairLevel([10, 10, 80], 50)).toBe(30);
    expect(fairLevel([100, 100], 50)).toBe(25);
    expect(fairLevel([1, 2, 3], 6)).toBe(Number.POSITIVE_INFINITY);
  });

  it("leaves a tenant with one call alone when another sends a thousand", () => {
    const counts = counted({ small: 1, large: 1000 });
    expect(fairChance("small", 0.1, counts)).toBe(1);
    expect(fairChance("large", 0.1, counts)).toBeCloseTo(0.1, 2);
  });

  it("is shared equally by equals, however many there are", () => {
    const tenants = Array.from({ length: 500 }, (_, index) => `tenant-${index}`);
    const counts = counted(Object.fromEntries(tenants.map((tenant) => [tenant, 20])));
    const chances = tenants.map((tenant) => fairChance(tenant, 0.3, counts));
    const mean = chances.reduce((sum, chance) => sum + chance, 0) / chances.length;
    expect(mean).toBeGreaterThan(0.25);
    expect(mean).toBeLessThan(0.4);
  });

  it("is everything when all calls are admitted", () => {
    expect(fairChance("large", 1, counted({ large: 1000 }))).toBe(1);
  });

  it("spares nearly every small tenant a heavy one: two of them share both slots by one chance in 1,024", () => {
    const [one, other] = tenantSlots("heavy");
    const hit = Array.from({ length: 10_000 }, (_, index) => tenantSlots(`tenant-${index}`)).filter(
      ([first, second]) => first === one && second === other,
    );
    expect(hit.length).toBeLessThan(40);
  });
});
