import { beforeEach, describe, expect, it } from "vitest";
import { RejectedInput, RetryableFault, TerminalFault, ThrottledFault } from "#lib/platform/errors/fault.ts";
import {
  circuitFleet,
  type Fleet,
  fails,
  KEY,
  outcome,
  request,
  settled,
  works,
} from "#test/fakes/circuit-fleet.ts";

let fleet: Fleet;
beforeEach(() => {
  fleet = circuitFleet(5);
});

const call = (index: number, work = works, changes = {}) =>
  outcome(fleet.guards[index]!.call(request(changes), work));

/** Every environment calls once; their failures are pooled. */
async function round(work = works): Promise<string[]> {
  const outcomes: string[] = [];
  for (const index of fleet.guards.keys()) outcomes.push(await call(index, work));
  return outcomes;
}

async function untilOpen(): Promise<void> {
  for (let turn = 0; turn < 20 && fleet.item()?.state !== "open"; turn += 1) {
    await round(fails);
    await fleet.advance(1100);
  }
  expect(fleet.item()?.state).toBe("open");
}

async function untilDue(): Promise<void> {
  await fleet.advance(fleet.item()!.next_probe_at - fleet.now + 1);
}

describe("a healthy dependency", () => {
  it("is called, and its result passed on", async () => {
    expect(await fleet.guards[0]!.call(request(), async () => 42)).toBe(42);
  });

  it("costs one write an environment and window at most, however many calls there are", async () => {
    for (let second = 0; second < 60; second += 1) {
      for (let calls = 0; calls < 20; calls += 1) await round();
      await fleet.advance(1000);
    }
    expect(fleet.writes).toBeLessThanOrEqual(5 * 6);
    expect(fleet.writes).toBeGreaterThanOrEqual(5 * 5);
    expect(fleet.reads).toBeLessThanOrEqual(5 * 16);
  });

  it("costs no write without calls", async () => {
    await round();
    const { writes } = fleet;
    await fleet.advance(3_600_000);
    expect(fleet.writes).toBe(writes);
  });

  it("keeps the record small: slices that the window has left are removed", async () => {
    for (let second = 0; second < 300; second += 1) {
      await round();
      await fleet.advance(1000);
    }
    expect(Object.keys(fleet.item()!).filter((name) => /^\d/.test(name)).length).toBeLessThan(20);
  });

  it("is not charged for a refusal it answered with, nor for a call that was aborted", async () => {
    const rejects = async () => {
      throw new RejectedInput("EDITS_MISSING", "no diff");
    };
    const refuses = async () => {
      throw new TerminalFault("MODEL_REFUSED", "401");
    };
    const disagrees = async () => {
      throw new RetryableFault("WEBHOOK_REFUSED", "404", { dependency_answered: true });
    };
    const gone = AbortSignal.abort(new Error("canceled"));
    for (let turn = 0; turn < 30; turn += 1) {
      expect(await call(3, disagrees, { last_try: turn % 2 === 0 })).toBe("WEBHOOK_REFUSED");
      expect(await call(0, rejects)).toBe("EDITS_MISSING");
      expect(await call(1, refuses)).toBe("MODEL_REFUSED");
      expect(await call(2, fails, { signal: gone })).toBe("MODEL_UNAVAILABLE");
      await fleet.advance(500);
    }
    expect(fleet.item()?.state).toBe("closed");
    expect(fleet.counted("dependency_failures")).toBe(0);
  });
});

describe("a circuit opens", () => {
  it("on the rate of all environments, though none has seen enough alone", async () => {
    expect(new Set(await round(fails))).toEqual(new Set(["MODEL_UNAVAILABLE"]));
    expect(fleet.item()?.state).toBe("closed");
    await fleet.advance(1100);
    await round(fails);
    expect(fleet.item()).toMatchObject({ state: "open", opens: 1 });
    expect(fleet.item()!.trail).toMatchObject([
      { event: "opened", code: "FAILURE_RATE", generation: 1, policy_hash: "policy-1" },
    ]);
    expect(fleet.counted("circuit_opened")).toBe(1);
    expect(fleet.lines.filter(({ code }) => code === "CIRCUIT_OPENED")).toMatchObject([
      { level: "warn", fields: { circuit: KEY, why: "FAILURE_RATE", policy_hash: "policy-1" } },
    ]);
  });

  it("not on the same rate with too few calls, nor on a rate below the limit", async () => {
    for (let turn = 0; turn < 4; turn += 1) await call(turn, fails);
    expect(fleet.item()?.state).toBe("closed");
    for (let turn = 0; turn < 60; turn += 1) {
      await round();
      await call(turn % 5, fails);
      await fleet.advance(400);
    }
    expect(fleet.item()?.state).toBe("closed");
  });

  it("on failures in a row, over all environments", async () => {
    fleet.policy = { ...fleet.policy, consecutive_failures_open: 4, calls_min: 1000 };
    for (const index of [0, 1, 2]) await call(index, fails);
    expect(fleet.item()).toMatchObject({ state: "closed", streak: 3 });
    await call(3, fails);
    expect(fleet.item()!.trail).toMatchObject([{ event: "opened", code: "CONSECUTIVE_FAILURES" }]);
  });

  it("not on as many failures with a success between them", async () => {
    fleet.policy = { ...fleet.policy, consecutive_failures_open: 4, calls_min: 1000 };
    for (const [index, work] of [fails, fails, works, fails, fails].entries()) await call(index, work);
    expect(fleet.item()).toMatchObject({ state: "closed", streak: 2 });
  });

  it("on slow calls, and on throttling", async () => {
    const slow = async () => {
      await fleet.advance(2500);
      return "late";
    };
    for (let turn = 0; turn < 15 && fleet.item()?.state !== "open"; turn += 1) {
      fleet.policy.window_seconds = 60;
      await call(turn % 5, slow);
    }
    expect(fleet.item()!.trail).toMatchObject([{ event: "opened", code: "SLOW_RATE" }]);
    const throttled = circuitFleet(1, { consecutive_failures_open: 2 });
    const throttles = async () => {
      throw new ThrottledFault("MODEL_THROTTLED", "429");
    };
    for (let turn = 0; turn < 3; turn += 1) {
      await outcome(throttled.guards[0]!.call(request(), throttles));
      await throttled.advance(1100);
    }
    expect(throttled.item()?.state).toBe("open");
  });
});

describe("while a circuit is open", () => {
  it("calls are parked beyond the next probe, spread so that they do not return together", async () => {
    await untilOpen();
    const waits: number[] = [];
    let made = 0;
    for (let turn = 0; turn < 200; turn += 1) {
      const error = await fleet.guards[turn % 5]!.call(request(), async () => {
        made += 1;
      }).catch((thrown) => thrown);
      expect(error).toMatchObject({ code: "CIRCUIT_OPEN", disposition: "park" });
      waits.push(error.retry_after_ms);
    }
    expect(made).toBe(0);
    const until_probe_ms = fleet.item()!.next_probe_at - fleet.now;
    expect(Math.min(...waits)).toBeGreaterThanOrEqual(until_probe_ms);
    expect(Math.max(...waits) - Math.min(...waits)).toBeGreaterThan(4000);
  });

  it("waiting costs no writes", async () => {
    await untilOpen();
    const { writes } = fleet;
    for (let turn = 0; turn < 30; turn += 1) {
      await round();
      await fleet.advance(100);
    }
    expect(fleet.writes).toBe(writes);
  });

  it("one probe is elected over the whole fleet, and closes it", async () => {
    await untilOpen();
    await untilDue();
    let running = 0;
    let most = 0;
    const release: (() => void)[] = [];
    const held = () =>
      new Promise<string>((resolve) => {
        running += 1;
        most = Math.max(most, running);
        release.push(() => {
          running -= 1;
          resolve("answer");
        });
      });
    const calls = fleet.guards.flatMap((guard) =>
      [0, 1, 2, 3].map(() => outcome(guard.call(request(), held))),
    );
    await settled();
    expect([running, fleet.item()!.state]).toEqual([1, "half_open"]);
    release[0]!();
    const outcomes = await Promise.all(calls);
    expect(outcomes.filter((code) => code === "ok")).toHaveLength(1);
    expect(outcomes.filter((code) => code === "CIRCUIT_OPEN")).toHaveLength(19);
    expect(most).toBe(1);
    expect(fleet.item()!.trail.map(({ event }) => event)).toEqual(["opened", "half_opened", "closed"]);
    for (const metric of ["circuit_opened", "circuit_half_opened", "circuit_closed"]) {
      expect([metric, fleet.counted(metric)]).toEqual([metric, 1]);
    }
  });

  it("a probe that fails opens it again, for twice as long", async () => {
    await untilOpen();
    const lengths: number[] = [];
    for (let turn = 0; turn < 5; turn += 1) {
      await untilDue();
      await call(turn, fails);
      lengths.push((fleet.item()!.next_probe_at - fleet.now) / 1000);
    }
    expect(lengths).toEqual([10, 20, 40, 60, 60]);
    expect(fleet.item()!.trail.at(-1)).toMatchObject({ event: "opened", code: "PROBE_FAILED" });
  });

  it("closes only after as many probes as the policy asks for, one at a time", async () => {
    fleet.policy.probes_to_close = 3;
    await untilOpen();
    await untilDue();
    const states: string[] = [];
    for (let turn = 0; turn < 3; turn += 1) {
      await call(0);
      states.push(fleet.item()!.state);
    }
    expect(states).toEqual(["half_open", "half_open", "closed"]);
  });

  it("a probe that gives no evidence leaves its place to the next", async () => {
    await untilOpen();
    await untilDue();
    const stop = new AbortController();
    const canceled = async () => {
      stop.abort();
      throw stop.signal.reason;
    };
    await call(0, canceled, { signal: stop.signal });
    expect(fleet.item()!.state).toBe("half_open");
    expect(await call(1)).toBe("ok");
    expect(fleet.item()!.state).toBe("closed");
  });
});
