import { beforeEach, describe, expect, it } from "vitest";
import { circuitFleet, type Fleet, fails, outcome, request, works } from "#test/fakes/circuit-fleet.ts";

let fleet: Fleet;
beforeEach(() => {
  fleet = circuitFleet(5, { failure_rate_open: 0.9, consecutive_failures_open: 4, window_seconds: 60 });
});

const call = (index: number, work = works, changes = {}) =>
  outcome(fleet.guards[index % 5]!.call(request(changes), work));

/** Calls of others, one a second, of which every so manieth fails. */
async function others(seconds: number, every = Number.POSITIVE_INFINITY): Promise<void> {
  for (let second = 1; second <= seconds; second += 1) {
    await call(second, second % every === 0 ? fails : works, { work: `other ${second}` });
    await fleet.advance(1000);
  }
}

/** Five tries of one piece of work, as the retry policy spaces them; the code of the last. */
async function poison(between: () => Promise<void>): Promise<string[]> {
  const codes: string[] = [];
  for (const attempt of [1, 2, 3, 4, 5]) {
    codes.push(await call(attempt, fails, { work: "poison", attempt, last_try: attempt === 5 }));
    await between();
  }
  return codes;
}

describe("work that fails alone", () => {
  it("is charged for its failures, the last attempt too, while calls of others succeed", async () => {
    await others(20);
    expect(new Set(await poison(() => others(12)))).toEqual(new Set(["MODEL_UNAVAILABLE"]));
    expect(fleet.item()!.trail).toEqual([]);
  });

  it("does not open the circuit for others, even with more failures than they have calls", async () => {
    await others(3);
    await poison(() => fleet.advance(5000));
    expect(fleet.item()).toMatchObject({ state: "closed", trail: [] });
    expect(await call(0)).toBe("ok");
  });

  it("is charged again once others succeed after an outage", async () => {
    for (let turn = 0; turn < 4; turn += 1) await call(turn, fails, { work: `work ${turn}` });
    expect(fleet.item()).toMatchObject({ state: "open" });
    await fleet.advance(fleet.item()!.next_probe_at - fleet.now + 1);
    expect(await call(0)).toBe("ok");
    expect(await call(1, fails, { work: "poison" })).toBe("DEPENDENCY_FAILING");
    await others(15);
    expect(await call(1, fails, { work: "poison" })).toBe("MODEL_UNAVAILABLE");
  });
});

describe("work whose dependency fails others too", () => {
  it("does not end: its last attempt costs nothing, though the circuit is closed", async () => {
    await others(20);
    const codes = await poison(() => others(12, 4));
    expect(fleet.item()!.trail).toEqual([]);
    expect(codes).toEqual([...Array(4).fill("MODEL_UNAVAILABLE"), "DEPENDENCY_FAILING"]);
  });

  it("does not end while nobody else has called lately, for then nobody can tell", async () => {
    await others(5);
    await fleet.advance(55_000);
    const last = { work: "lone", attempt: 5, last_try: true };
    expect(await call(0, fails, last)).toBe("DEPENDENCY_FAILING");
  });

  it("opens the circuit by its own failures when no call succeeds", async () => {
    await poison(() => fleet.advance(1100));
    expect(fleet.item()!.trail).toMatchObject([{ event: "opened", code: "CONSECUTIVE_FAILURES" }]);
  });
});
