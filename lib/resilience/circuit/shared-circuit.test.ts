import { beforeEach, describe, expect, it } from "vitest";
import { dependencyGuard } from "#lib/resilience/circuit/dependency-guard.ts";
import { commandCircuit } from "#lib/resilience/circuit/operate-circuit.ts";
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
  fleet = circuitFleet(3, { consecutive_failures_open: 3, slow_call_ms: 900_000 });
});

const call = (index: number, work = works) => outcome(fleet.guards[index]!.call(request(), work));

async function untilOpen(): Promise<void> {
  for (const index of [0, 1, 2]) await call(index, fails);
  expect(fleet.item()?.state).toBe("open");
}

/** A call that lasts until it is told how to end. */
function held() {
  let end: { answer(): void; fail(error: Error): void } | undefined;
  const work = (signal?: AbortSignal) =>
    new Promise<string>((resolve, reject) => {
      end = { answer: () => resolve("answer"), fail: reject };
      signal?.addEventListener("abort", () => reject(signal.reason));
    });
  return { work, end: () => end! };
}

describe("an environment that was frozen while it probed", () => {
  it("decides nothing when it wakes: another probe has been elected, and the generation is another", async () => {
    await untilOpen();
    await fleet.advance(5001);
    const frozen = held();
    const deaf = () => frozen.work(); // it does not hear that its lease is lost
    const late = outcome(fleet.guards[0]!.call(request(), deaf));
    await settled();
    fleet.sleepers.clear(); // frozen: it renews no lease
    await fleet.advance(13_000);
    const probe = held();
    const second = outcome(fleet.guards[1]!.call(request(), probe.work));
    await settled();
    const { generation } = fleet.item()!;
    frozen.end().answer();
    await late;
    expect(fleet.item()).toMatchObject({ state: "half_open", generation });
    expect(fleet.lines.map(({ code }) => code)).toContain("CIRCUIT_PROBE_LATE");
    probe.end().fail(new Error("503"));
    await second;
    expect(fleet.item()!.state).toBe("open");
  });

  it("does not open a circuit by failures of long ago", async () => {
    await call(0, fails);
    await call(0, fails); // within a second: not told yet
    await fleet.advance(3_600_000);
    await call(0, fails);
    expect(fleet.item()).toMatchObject({ state: "closed" });
    expect(fleet.item()!.streak).toBeLessThan(3);
  });
});

describe("clocks that differ by a second", () => {
  it("do not make two probes: a lease counts as ended two seconds later for the others", async () => {
    const ahead = fleet.guardWithSkew(1000);
    await untilOpen();
    await fleet.advance(5001);
    const probe = held();
    const first = outcome(fleet.guards[0]!.call(request(), probe.work));
    await settled();
    fleet.sleepers.clear();
    await fleet.advance(fleet.item()!.probe_until! - fleet.now);
    let made = 0;
    const other = await outcome(ahead.call(request(), async () => ++made));
    expect([other, made]).toEqual(["CIRCUIT_OPEN", 0]);
    probe.end().answer();
    expect(await first).toBe("ok");
    expect(fleet.item()!.state).toBe("closed");
  });
});

describe("a long probe", () => {
  it("keeps its place by renewing its lease", async () => {
    await untilOpen();
    await fleet.advance(5001);
    const probe = held();
    const first = outcome(fleet.guards[0]!.call(request(), probe.work));
    await settled(); // the call is under way before time passes: a second is as long as the table may take
    for (let second = 0; second < 40; second += 1) {
      await fleet.advance(1000);
      expect(await call(1)).toBe("CIRCUIT_OPEN");
    }
    probe.end().answer();
    expect([await first, fleet.item()!.state]).toEqual(["ok", "closed"]);
  });
});

describe("without the table", () => {
  it("a circuit that fails open calls and counts alone, and stops at its own failures", async () => {
    await call(0);
    fleet.down = true;
    expect(await call(0)).toBe("ok");
    await fleet.advance(40_000);
    await call(0);
    expect(fleet.lines.filter(({ code }) => code === "CIRCUIT_STATE_UNREADABLE")).toHaveLength(1);
    for (let turn = 0; turn < 3; turn += 1) expect(await call(0, fails)).toBe("MODEL_UNAVAILABLE");
    expect(await call(0)).toBe("CIRCUIT_OPEN");
    await fleet.advance(5001);
    expect(await call(0)).toBe("ok");
    fleet.down = false;
    await fleet.advance(1001);
    expect(await call(0)).toBe("ok");
    expect(fleet.lines.filter(({ code }) => code === "CIRCUIT_STATE_READABLE")).toHaveLength(1);
  });

  it("a circuit that fails closed parks, once its view is too old", async () => {
    fleet.policy.when_unknown = "fail_closed";
    await call(0);
    fleet.down = true;
    expect(await call(0)).toBe("ok");
    await fleet.advance(40_000);
    expect(await call(0)).toBe("CIRCUIT_OPEN");
    expect(await call(1)).toBe("CIRCUIT_OPEN"); // it has never known anything
  });

  it("a table that never answers delays a call by a second, not for ever", async () => {
    const ports = fleet.ports(0);
    const guard = dependencyGuard({ ...ports, table: { send: () => new Promise(() => undefined) } as never });
    const called = outcome(guard.call(request(), works));
    for (let second = 0; second < 5; second += 1) await fleet.advance(1000);
    expect(await called).toBe("ok");
  });

  it("an open circuit stays open until its probe is due", async () => {
    await untilOpen();
    fleet.down = true;
    expect(await call(2)).toBe("CIRCUIT_OPEN");
    await fleet.advance(6000);
    expect(await call(2)).toBe("CIRCUIT_OPEN"); // no probe can be elected
  });
});

describe("an operator's command", () => {
  const word = (action: "force_open" | "force_closed" | "reset", for_seconds?: number) =>
    commandCircuit(
      KEY,
      { action, why: "maintenance", ...(for_seconds && { for_seconds }) },
      { by: "key1", policy_hash: "policy-1" },
      fleet.ports(0),
    );

  it("holds a circuit open, from every environment's next read on, until it ends", async () => {
    await call(0);
    await word("force_open", 60);
    await fleet.advance(10_000);
    expect(await call(0)).toBe("CIRCUIT_OPEN");
    expect(fleet.item()!.trail.at(-1)).toMatchObject({ event: "forced_open", why: "key1: maintenance" });
    await fleet.advance(50_001);
    expect(await call(0)).toBe("ok");
  });

  it("holds it closed whatever fails", async () => {
    await untilOpen();
    await word("force_closed");
    await fleet.advance(1001);
    for (let turn = 0; turn < 20; turn += 1) expect(await call(0, fails)).toBe("MODEL_UNAVAILABLE");
  });

  it("resets it: closed, with an empty window", async () => {
    await untilOpen();
    const seen = await word("reset");
    expect(seen?.record).toMatchObject({ state: "closed", opens: 0, streak: 0 });
    await fleet.advance(1001);
    expect(await call(0)).toBe("ok");
    expect(fleet.counted("circuit_reset")).toBe(1);
  });

  it("is not obeyed for a circuit that does not exist", async () => {
    expect(await word("reset")).toBeUndefined();
  });
});

describe("a policy edited at run time", () => {
  it("changes the very next decision, and is named in the trail", async () => {
    await call(0, fails);
    await fleet.advance(1100);
    fleet.policy = { ...fleet.policy, consecutive_failures_open: 2 };
    fleet.policy_hash = "policy-2";
    await call(1, fails);
    expect(fleet.item()!.trail).toMatchObject([{ event: "opened", policy_hash: "policy-2" }]);
  });
});

describe("circuits of tenants", () => {
  it("open one by one where the policy says so", async () => {
    fleet.policy.scope = "tenant";
    for (const index of [0, 1, 2]) await call(index, fails);
    expect(fleet.item(`${KEY}.acme`)).toMatchObject({ state: "open", tenant: "acme" });
    expect(await outcome(fleet.guards[0]!.call(request({ tenant: "zenith" }), works))).toBe("ok");
    expect(fleet.counters.entries().find(({ metric }) => metric === "circuit_opened")?.tenant).toBe("acme");
  });
});
