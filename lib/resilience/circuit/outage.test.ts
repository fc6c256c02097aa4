import { beforeEach, describe, expect, it } from "vitest";
import { ParkedFault, RetryableFault } from "#lib/platform/errors/fault.ts";
import { allowanceOf, isAllowanceUsed, throttledShare } from "#lib/resilience/circuit/admission-limits.ts";
import { addCount, type CallCounts } from "#lib/resilience/circuit/call-counts.ts";
import { newCircuit } from "#lib/resilience/circuit/circuit-state.ts";
import type { CircuitRecord } from "#schemas/records/circuit.ts";
import {
  circuitFleet,
  type Fleet,
  fails,
  outcome,
  POLICY,
  request,
  works,
} from "#test/fakes/circuit-fleet.ts";

let fleet: Fleet;
beforeEach(() => {
  fleet = circuitFleet(5);
});

const call = (index: number, work = works) => outcome(fleet.guards[index]!.call(request(), work));

async function untilOpen(): Promise<void> {
  for (let turn = 0; turn < 20 && fleet.item()?.state !== "open"; turn += 1) {
    for (const index of fleet.guards.keys()) await call(index, fails);
    await fleet.advance(1100);
  }
  await fleet.advance(fleet.item()!.next_probe_at - fleet.now + 1);
}

describe("a call that fails", () => {
  it("while the dependency is healthy is the work's own failure, and counts as its attempt", async () => {
    expect(await call(0, fails)).toBe("MODEL_UNAVAILABLE");
  });

  it("as the probe counts against the dependency: parked, with the failure as its cause", async () => {
    await untilOpen();
    const probe = fleet.guards[0]!.call(request(), fails);
    const error = await probe.then(
      () => undefined,
      (thrown: unknown) => thrown,
    );
    expect(error).toBeInstanceOf(ParkedFault);
    expect(error).toMatchObject({ code: "DEPENDENCY_FAILING", cause: expect.any(RetryableFault) });
    expect((error as ParkedFault).retry_after_ms).toBeGreaterThan(0);
  });

  it("long after the circuit has closed is the work's own again", async () => {
    await untilOpen();
    expect(await call(0)).toBe("ok");
    await fleet.advance(3_600_000);
    expect(await call(0, fails)).toBe("MODEL_UNAVAILABLE");
  });

  it("soon after the circuit has closed counts against the dependency too", async () => {
    await untilOpen();
    expect(await call(0)).toBe("ok");
    expect(fleet.item()?.state).toBe("closed");
    const outcomes = new Set<string>();
    for (let turn = 0; turn < 20; turn += 1) outcomes.add(await call(turn % 5, fails));
    expect([...outcomes]).toContain("DEPENDENCY_FAILING");
    expect([...outcomes]).not.toContain("MODEL_UNAVAILABLE");
  });
});

describe("after an outage", () => {
  const now = 1_800_000_000_000;
  const closed_at = now - 60_000;
  const record: CircuitRecord = {
    ...newCircuit({ key: "a.b.c" }, now),
    closed_at,
    recovering_until: now + 60_000,
    steady_per_second: 10,
  };
  const counted = (passed: number, ended: number, second = now): CallCounts => {
    const counts: CallCounts = new Map();
    addCount(counts, second, "passed", passed);
    addCount(counts, second, "ended", ended);
    return counts;
  };
  const full = (counts: CallCounts[], changes: Partial<CircuitRecord> = {}, own: 0 | 1 = 0) => {
    const recovering = { ...record, ...changes };
    const at = { now: now + 400, own, share: 1 };
    return isAllowanceUsed(allowanceOf(recovering, counts, POLICY, at.now)!, recovering, counts, POLICY, at);
  };

  it("as many calls pass in a second as the allowance has, and no more", () => {
    // 17 a second may pass: in 0.4 s, and a quarter of a second ahead, 11, and one more.
    const usual = { steady_in_flight: 100 };
    expect(full([counted(11, 0)], usual)).toBe(false);
    expect(full([counted(12, 0)], usual)).toBe(true);
    expect(full([counted(12, 0)], usual, 1)).toBe(false);
  });

  it("the unused allowance of one second is not made up for in the next", () => {
    const usual = { steady_in_flight: 100 };
    expect(full([counted(0, 0, now - 2000), counted(12, 0)], usual)).toBe(true);
    expect(full([counted(69, 69, now - 4000), counted(10, 0)], usual)).toBe(false);
    expect(full([counted(70, 70, now - 4000), counted(10, 0)], usual)).toBe(true);
  });

  it("the calls in flight are limited, so that a dependency that is slower than before is not flooded", () => {
    // 1.2 · 1.7 · (4 + 0.25 · 10) calls may be under way.
    const usual = { steady_in_flight: 4 };
    expect(full([counted(60, 47, now - 8000)], usual)).toBe(false);
    expect(full([counted(60, 46, now - 8000)], usual)).toBe(true);
  });

  it("admission stays near the usual rate when the usual number of calls in flight is unknown", () => {
    expect(allowanceOf(record, [], POLICY, now)).toMatchObject({ per_second: 12.5 });
    const known = { ...record, steady_in_flight: 4 };
    expect(allowanceOf(known, [], POLICY, now)).toMatchObject({ per_second: 17 });
  });

  it("calls refused for failures throttle more, and without failures nothing is throttled", () => {
    const counts = { calls: 20, failures: 10, damped: 40 };
    expect(throttledShare(counts, POLICY)).toBeLessThan(throttledShare({ ...counts, damped: 0 }, POLICY));
    expect(throttledShare({ calls: 20, failures: 0, damped: 0 }, POLICY)).toBe(1);
  });

  it("calls held back are counted apart, and do not throttle", async () => {
    await untilOpen();
    expect(await call(0)).toBe("ok");
    for (let second = 0; second < 60; second += 1) {
      for (const index of fleet.guards.keys()) for (let turn = 0; turn < 5; turn += 1) await call(index);
      await fleet.advance(1000);
    }
    const counted = (name: string) =>
      Object.keys(fleet.item()!).some((column) => column.endsWith(`|${name}`));
    expect([counted("held"), counted("damped")]).toEqual([true, false]);
  });
});
