import { describe, expect, it } from "vitest";
import { circuitFleet } from "#test/fakes/circuit-fleet.ts";
import { runLoad, total } from "#test/fakes/dependency-load.ts";

/** Mean over five seconds: a second alone is mostly chance. */
const smoothed = (values: readonly number[]) =>
  values.map((_, index) => total(values.slice(Math.max(0, index - 4), index + 1)) / Math.min(5, index + 1));

describe("an outage of a minute under 40 calls a second from 20 environments", () => {
  it("is left without a spike above twice the steady rate, and every job is done", async () => {
    const fleet = circuitFleet(20);
    const seen = await runLoad(fleet, {
      rates: { a: 10, b: 10, c: 10, d: 10 },
      seconds: 420,
      answers: (second) => second < 30 || second >= 90,
    });
    const during = total(seen.arrived.slice(35, 90));
    expect(during).toBeLessThan(40); // probes, and what was under way
    expect(Math.max(...smoothed(seen.arrived).slice(90))).toBeLessThan(80);
    expect(Math.max(...seen.arrived.slice(90))).toBeLessThan(80);
    const back_after = seen.arrived.findIndex((count, second) => second >= 90 && count >= 40) - 90;
    expect(back_after).toBeLessThan(60);
    // The backlog of 60 s is worked off: what came in goes out again.
    expect(total(seen.succeeded)).toBeGreaterThan(0.98 * 40 * (420 - 15));
  }, 180_000);
});
