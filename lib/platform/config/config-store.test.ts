import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { makeCounters, PLATFORM_TENANT } from "#lib/platform/metrics/counters.ts";
import { configWorld, policy, settled } from "#test/fakes/config-world.ts";

const hash = /^[0-9a-f]{64}$/;

describe("a change of configuration", () => {
  it("is in force for the next invocation, logged with both hashes and counted", async () => {
    const world = configWorld();
    (await world.store.follow()).stop(makeCounters());
    const old_hash = world.view().hash;
    world.holds = policy({ attempts_max: 9 });
    await world.clock.pass(8000);
    const counters = makeCounters();
    const following = await world.store.follow();
    expect(world.attempts()).toBe(9);
    const fields = { old_hash, new_hash: world.view().hash, source: "memory/retry_policy.json" };
    expect(world.lines).toMatchObject([{ level: "info", code: "CONFIG_CHANGED", fields }]);
    expect(world.view()).toMatchObject({ state: "in_force", last_rejected: null, age_seconds: 0 });
    following.stop(counters);
    expect(counters.entries()).toEqual([{ metric: "config_changed", tenant: PLATFORM_TENANT, amount: 1 }]);
  });

  it("comes into force in the middle of a long invocation", async () => {
    const world = configWorld();
    const following = await world.store.follow();
    await world.clock.pass(60_000);
    world.holds = policy({ attempts_max: 9 });
    await world.clock.pass(5000);
    expect(world.attempts()).toBe(9);
    following.stop(makeCounters());
    expect(world.clock.sleeping()).toBe(0);
  });

  it("is never missed by more than 10 s while the source answers, however requests come", async () => {
    const world = configWorld();
    await fc.assert(
      fc.asyncProperty(fc.array(fc.integer({ min: 0, max: 15_000 }), { maxLength: 20 }), async (pauses) => {
        let changed_at = world.clock.runtime.now();
        let wanted = 5;
        for (const pause of pauses) {
          const following = await world.store.follow();
          const now = world.clock.runtime.now();
          if (world.attempts() !== wanted) expect(now - changed_at).toBeLessThan(10_000);
          else {
            wanted = (wanted % 50) + 1;
            changed_at = now;
            world.holds = policy({ attempts_max: wanted });
          }
          following.stop(makeCounters());
          await world.clock.pass(pause);
        }
        world.holds = policy();
        await world.clock.pass(8000);
        (await world.store.follow()).stop(makeCounters());
      }),
      { numRuns: 30 },
    );
  });

  it("costs a request nothing while the last look is fresh, and no wait while it is not old", async () => {
    const world = configWorld();
    const invoke = async () => (await world.store.follow()).stop(makeCounters());
    await invoke();
    await world.clock.pass(4000);
    await invoke();
    expect(world.reads).toBe(1);
    await world.clock.pass(2000);
    world.holds = policy({ attempts_max: 9 });
    const following = world.store.follow();
    await following; // answers although the look it started has not ended
    expect([world.reads, world.attempts()]).toEqual([2, 5]);
    await settled();
    expect(world.attempts()).toBe(9);
    (await following).stop(makeCounters());
  });
});

describe("a broken change", () => {
  it("never takes effect; it is told once with its hash and reason, and its mending too", async () => {
    const world = configWorld();
    const counters = makeCounters();
    const following = await world.store.follow();
    world.holds = policy({ attempts_max: 0 });
    await world.clock.pass(30_000);
    expect(world.attempts()).toBe(5);
    expect(world.codes()).toEqual(["CONFIG_REJECTED"]);
    const reason = "/defaults/attempts_max is 0: must be at least 1; 0 came";
    expect(world.lines[0]?.fields).toMatchObject({ reason, hash: expect.stringMatching(hash) });
    expect(world.view()).toMatchObject({ state: "rejected", reason, last_rejected: { reason } });
    world.holds = policy();
    await world.clock.pass(5000);
    expect(world.codes()).toEqual(["CONFIG_REJECTED", "CONFIG_RECOVERED"]);
    expect(world.view()).toMatchObject({ state: "in_force", reason: null, last_rejected: { reason } });
    following.stop(counters);
    const counted = counters.entries().map(({ metric, amount }) => [metric, amount]);
    expect(counted).toEqual([
      ["config_rejected", 1],
      ["config_recovered", 1],
    ]);
  });

  it("that an editor has not finished saving is not told, and one that stays broken is", async () => {
    const world = configWorld({ refresh_ms: 500, wait_ms: 500, settle_ms: 1000 });
    const following = await world.store.follow();
    const whole = policy({ attempts_max: 9 });
    world.holds = whole.slice(0, 40);
    await world.clock.pass(500);
    expect([world.view().state, world.attempts()]).toEqual(["rejected", 5]);
    world.holds = whole;
    await world.clock.pass(500);
    expect([world.codes(), world.attempts()]).toEqual([["CONFIG_CHANGED"], 9]);
    expect(world.view().last_rejected).toBeNull();
    world.holds = "";
    await world.clock.pass(2500);
    expect(world.codes()).toEqual(["CONFIG_CHANGED", "CONFIG_REJECTED"]);
    following.stop(makeCounters());
  });

  it("of any bytes at all neither throws nor takes the place of the last good one", async () => {
    const world = configWorld();
    const following = await world.store.follow();
    const good = world.view().hash;
    const junk = fc.oneof(
      fc.uint8Array({ maxLength: 300 }),
      fc.json().map((text) => Buffer.from(text)),
      fc.nat(policy().length - 1).map((length) => Buffer.from(policy()).subarray(0, length)),
      fc
        .tuple(
          fc.constantFrom("attempts_max", "backoff_ms_base"),
          fc.constantFrom("-1", "[]", "1e999", "nul"),
        )
        .map(([key, value]) => Buffer.from(policy({ [key]: "@" }).replace('"@"', value))),
    );
    await fc.assert(
      fc.asyncProperty(junk, async (bytes) => {
        world.holds = bytes;
        await world.clock.pass(5000);
        expect([world.view().hash, world.view().state]).toEqual([good, "rejected"]);
      }),
      { numRuns: 200 },
    );
    following.stop(makeCounters());
  });
});

describe("a source that does not answer", () => {
  it("leaves the last good one in force, delays a request once and not longer than its bound", async () => {
    const world = configWorld();
    (await world.store.follow()).stop(makeCounters());
    await world.clock.pass(8000);
    world.holds = "silence";
    const waiting = world.store.follow();
    await world.clock.pass(2000);
    (await waiting).stop(makeCounters());
    expect(world.codes()).toEqual(["CONFIG_UNREADABLE"]);
    expect(world.view()).toMatchObject({ state: "unreadable", reason: "no answer within 2000 ms" });
    (await world.store.follow()).stop(makeCounters()); // and the next one is not delayed
    expect(world.attempts()).toBe(5);
    world.holds = policy();
    await world.clock.pass(10_000);
    (await world.store.follow()).stop(makeCounters());
    expect(world.codes()).toEqual(["CONFIG_UNREADABLE", "CONFIG_RECOVERED"]);
  });

  it("at a cold start gives way to the file deployed with the code, and shows it", async () => {
    const world = configWorld();
    world.holds = new Error("there is no s3://bucket/configs/retry_policy.json");
    world.bundled = policy({ attempts_max: 3 });
    const following = await world.store.follow();
    expect(world.attempts()).toBe(3);
    expect(world.view()).toMatchObject({ source: "bundled/retry_policy.json", state: "unreadable" });
    expect(world.lines).toMatchObject([
      { level: "warn", code: "CONFIG_UNREADABLE", fields: { in_force_source: "bundled/retry_policy.json" } },
    ]);
    world.holds = policy({ attempts_max: 7 });
    await world.clock.pass(5000);
    expect(world.attempts()).toBe(7);
    expect(world.view()).toMatchObject({ source: "memory/retry_policy.json", state: "in_force" });
    following.stop(makeCounters());
  });

  it("throws to who needs a value when the deployed file is broken too, and says why", async () => {
    const world = configWorld();
    world.holds = new Error("no");
    world.bundled = "{";
    const following = await world.store.follow();
    expect(() => world.attempts()).toThrow(/retry_policy\.json has no valid version: it is not JSON/);
    expect(world.view()).toMatchObject({ hash: null, source: null, loaded_at: null, age_seconds: null });
    following.stop(makeCounters());
  });

  it("that answers late does not undo what a later look brought", async () => {
    const answers: ((bytes: Uint8Array) => void)[] = [];
    const read = () => new Promise<Uint8Array>((resolve) => answers.push(resolve));
    const world = configWorld({ read });
    const first = world.store.follow();
    await world.clock.pass(2000);
    (await first).stop(makeCounters());
    await world.clock.pass(8000);
    const second = world.store.follow();
    answers[1]?.(Buffer.from(policy({ attempts_max: 9 })));
    (await second).stop(makeCounters());
    answers[0]?.(Buffer.from(policy({ attempts_max: 1 })));
    await settled();
    expect(world.attempts()).toBe(9);
  });
});
