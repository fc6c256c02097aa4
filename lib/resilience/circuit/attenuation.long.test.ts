import { describe, expect, it, vi } from "vitest";
import { circuitFleet } from "#test/fakes/circuit-fleet.ts";
import { runLoad, total } from "#test/fakes/dependency-load.ts";

vi.setConfig({ testTimeout: 600_000 }); // seconds of work each, which a busy machine may take long for

/** Answers so many calls in each tick of 100 ms and fails the rest. */
const capacity = (per_tick: (second: number) => number) => (second: number, in_tick: number) =>
  in_tick <= per_tick(second);

describe("a dependency that can do half of what it is asked", () => {
  const brownOut = { seconds: 180, answers: capacity((second) => (second >= 30 && second < 120 ? 2 : 100)) };

  it("is asked less, smoothly, without the circuit opening, and again in full when it can", async () => {
    const fleet = circuitFleet(10, { failure_rate_open: 0.9 });
    const seen = await runLoad(fleet, { ...brownOut, rates: { a: 20, b: 20 } });
    const asked = total(seen.arrived.slice(60, 120)) / 60;
    expect(asked).toBeGreaterThan(15);
    expect(asked).toBeLessThan(40);
    expect(total(seen.arrived.slice(-20)) / 20).toBeGreaterThanOrEqual(38);
    expect(fleet.item()!.trail).toEqual([]);
    expect(seen.codes.get("DEPENDENCY_DAMPED")).toBeGreaterThan(100);
    expect(total(seen.failed)).toBeLessThan(0.15 * total(seen.arrived));
  });

  it("admits the small tenant as before; the large one waits", async () => {
    const fleet = circuitFleet(10, { failure_rate_open: 0.9 });
    const seen = await runLoad(fleet, { ...brownOut, seconds: 120, rates: { small: 1, large: 60 } });
    const parkedShare = (tenant: string) =>
      (seen.parked.get(tenant) ?? 0) / ((seen.parked.get(tenant) ?? 0) + (seen.admitted.get(tenant) ?? 0));
    expect(parkedShare("small")).toBeLessThan(0.1);
    expect(parkedShare("large")).toBeGreaterThan(0.3);
  });
});

describe("retries", () => {
  it("are never more than their share of the traffic", async () => {
    const fleet = circuitFleet(10, { failure_rate_open: 1, calls_min: 10_000 });
    fleet.budget = { ratio: 0.2, floor_per_minute: 10 };
    const seen = await runLoad(fleet, { seconds: 120, rates: { a: 40 }, answers: (_, n) => n % 2 === 0 });
    const share = total(seen.retried) / total(seen.arrived);
    expect(share).toBeGreaterThan(0.1);
    expect(share).toBeLessThan(0.2);
    expect(seen.codes.get("RETRY_BUDGET_SPENT")).toBeGreaterThan(0);
  });

  it("are all admitted while they are few", async () => {
    const fleet = circuitFleet(10);
    const seen = await runLoad(fleet, {
      seconds: 60,
      rates: { a: 40 },
      answers: (second, n) => n !== 4 || second % 4 > 0,
    });
    expect(seen.codes.get("RETRY_BUDGET_SPENT")).toBeUndefined();
  });
});
