import { describe, expect, it } from "vitest";
import { circuitFleet } from "#test/fakes/circuit-fleet.ts";
import { runLoad, total } from "#test/fakes/dependency-load.ts";

describe("an outage of a minute under 20 calls a second from 10 environments", () => {
  it("is left without a spike above twice the steady rate, and its backlog is soon done", async () => {
    const fleet = circuitFleet(10);
    const seen = await runLoad(fleet, {
      rates: { a: 5, b: 5, c: 5, d: 5 },
      seconds: 300,
      answers: (second) => second < 30 || second >= 90,
    });
    const during = total(seen.arrived.slice(35, 90));
    expect(during).toBeLessThan(40); // probes, and what was under way
    expect(Math.max(...seen.arrived.slice(90))).toBeLessThan(40);
    const back_after = seen.arrived.findIndex((count, second) => second >= 90 && count >= 20) - 90;
    expect(back_after).toBeLessThan(60);
    // The backlog of 60 s is worked off within three times as long: what came in has gone out again.
    expect(total(seen.succeeded)).toBeGreaterThan(0.99 * 20 * 300);
  }, 600_000); // seconds of work, which a busy machine may take long for
});
