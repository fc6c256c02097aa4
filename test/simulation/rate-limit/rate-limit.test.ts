import { describe, expect, it } from "vitest";
import type { BucketRule } from "#lib/resilience/rate-limit/bucket-plan.ts";
import { type Environment, limiterWorld } from "./limiter-world.ts";

const SECONDS = 30;
const SEEDS = [1, 2, 3, 4, 5];
const rule = (fields: Partial<BucketRule> = {}): BucketRule => ({
  requests_per_second: 20,
  burst_requests: 40,
  requests_per_day_max: null,
  shards: 1,
  ...fields,
});
const limit = ({ burst_requests, requests_per_second }: BucketRule, seconds: number) =>
  burst_requests + requests_per_second * seconds;
const hot = { tenant: "hot", per_second: 100, seconds: SECONDS };

/** The most that was admitted within any span of so many seconds. */
function busiest(admitted_at_ms: number[], seconds: number): number {
  let [from, most] = [0, 0];
  admitted_at_ms.forEach((at_ms, index) => {
    while ((admitted_at_ms[from] ?? 0) <= at_ms - seconds * 1000) from += 1;
    most = Math.max(most, index - from + 1);
  });
  return most;
}

function worldOf(seed: number, clocks_ms: number[]) {
  const world = limiterWorld(seed);
  const all = clocks_ms.map((clock_ms) => world.environment(clock_ms));
  return { world, all };
}
const same = (environments: number) => Array.from({ length: environments }, () => 0);

describe.each(SEEDS)("a rate limit shared by several environments (seed %i)", (seed) => {
  it.each([1, 2, 8, 32])("admits what it says, to 5 % and never more, through %i", async (environments) => {
    const { world, all } = worldOf(seed, same(environments));
    const seen = world.traffic({ ...hot, rule: rule() }, () => all);
    await world.run(SECONDS);
    const allowed = limit(rule(), SECONDS);
    expect(seen.admitted).toBeLessThanOrEqual(allowed);
    expect(seen.admitted).toBeGreaterThanOrEqual(allowed * 0.95);
    expect(world.counts.writes / (seen.admitted + seen.refused)).toBeLessThanOrEqual(0.2);
    // What was leased before a span may be spent in it: a lease is about a second's worth.
    expect(busiest(seen.admitted_at_ms, 5)).toBeLessThanOrEqual(limit(rule(), 5 + 2));
  });

  it.each([
    [1, 0.25, 0.2],
    [1, 1, 0.2],
    [1, 5, 0.2],
    [4, 5, 0.2],
    [8, 15, 0.21], // eight leases of eight are more than the burst
  ])(
    "refuses nothing below the rate: %i environments, %d a second",
    async (environments, per_second, writes) => {
      const { world, all } = worldOf(seed, same(environments));
      const quiet = world.traffic({ tenant: "quiet", per_second, seconds: 120, rule: rule() }, () => all);
      await world.run(121);
      expect(quiet).toMatchObject({ admitted: per_second * 120, refused: 0, unknown: 0 });
      expect(world.counts.writes / quiet.admitted).toBeLessThanOrEqual(writes);
    },
  );

  it("lets a hot tenant's refusals cost a quiet one nothing", async () => {
    const { world, all } = worldOf(seed, same(4));
    const loud = world.traffic({ ...hot, rule: rule() }, () => all);
    const quiet = world.traffic(
      { tenant: "quiet", per_second: 4, seconds: SECONDS, rule: rule() },
      () => all,
    );
    await world.run(SECONDS + 1);
    expect(loud.refused).toBeGreaterThan(0);
    expect(quiet).toMatchObject({ admitted: 4 * SECONDS, refused: 0 });
  });

  it("loses no more than its leases to environments that crash", async () => {
    const { world } = worldOf(seed, []);
    let all = same(4).map(() => world.environment());
    const seen = world.traffic({ ...hot, rule: rule() }, () => all);
    for (let second = 3; second < SECONDS; second += 3) {
      world.after(second * 1000, () => {
        const [dies, ...rest] = all as [Environment, ...Environment[]];
        dies.crash();
        all = [...rest, world.environment()];
      });
    }
    await world.run(SECONDS);
    const allowed = limit(rule(), SECONDS);
    expect(seen.admitted).toBeLessThanOrEqual(allowed);
    expect(seen.admitted).toBeGreaterThanOrEqual(allowed - 9 * 10 - 30);
  });

  it("holds when clocks differ by seconds, and refuses no quiet tenant for it", async () => {
    const skew_seconds = 4;
    const { world, all } = worldOf(seed, [-2000, -500, 0, 2000]);
    const seen = world.traffic({ ...hot, rule: rule() }, () => all);
    const quiet = world.traffic(
      { tenant: "quiet", per_second: 5, seconds: SECONDS, rule: rule() },
      () => all,
    );
    await world.run(SECONDS);
    expect(seen.admitted).toBeLessThanOrEqual(limit(rule(), SECONDS + skew_seconds));
    expect(seen.admitted).toBeGreaterThanOrEqual(limit(rule(), SECONDS) * 0.95);
    expect(quiet.refused).toBe(0);
  });

  it("goes on after a clock that was an hour ahead", async () => {
    const { world, all } = worldOf(seed, [3_600_000, 0]);
    const first = world.traffic({ ...hot, seconds: 2, rule: rule() }, () => all.slice(0, 1));
    await world.run(2);
    const later = world.traffic({ ...hot, seconds: 10, rule: rule() }, () => all.slice(1));
    await world.run(10);
    expect(first.admitted).toBeGreaterThan(0);
    expect(later.admitted).toBeGreaterThan(limit(rule(), 10) * 0.9);
    expect(later.admitted).toBeLessThanOrEqual(limit(rule(), 10));
  });
});

describe("a table in trouble", () => {
  it.each(["silent", "failing"] as const)(
    "that is %s makes the answer unknown, until it is well",
    async (fault) => {
      const { world, all } = worldOf(1, same(2));
      const seen = world.traffic({ tenant: "acme", per_second: 10, seconds: 60, rule: rule() }, () => all);
      world.after(20_000, () => {
        world.faults[fault] = true;
      });
      world.after(40_000, () => {
        world.faults[fault] = false;
      });
      await world.run(65);
      expect(seen.unknown).toBeGreaterThan(100);
      expect(seen.admitted + seen.unknown).toBe(600);
      expect(seen.admitted).toBeGreaterThan(370);
    },
  );
});

describe("a rule that changes", () => {
  it("is followed by the next request, and a debt stays a debt", async () => {
    const { world, all } = worldOf(1, same(1));
    world.traffic({ ...hot, seconds: 5, rule: rule() }, () => all);
    await world.run(5);
    const faster = rule({ requests_per_second: 60, burst_requests: 60 });
    const seen = world.traffic({ ...hot, seconds: 10, rule: faster }, () => all);
    await world.run(10);
    expect(seen.admitted).toBeLessThanOrEqual(limit(faster, 10));
    expect(seen.admitted).toBeGreaterThanOrEqual(60 * 10 * 0.95);
  });

  it("gives no more while some environments still follow the old one", async () => {
    const { world, all } = worldOf(1, same(2));
    const slower = rule({ requests_per_second: 10 });
    const old = world.traffic({ ...hot, per_second: 50, seconds: 10, rule: rule() }, () => all.slice(0, 1));
    const young = world.traffic({ ...hot, per_second: 50, seconds: 10, rule: slower }, () => all.slice(1));
    await world.run(10);
    expect(old.admitted + young.admitted).toBeLessThanOrEqual(limit(rule(), 10) + 20);
  });
});

describe("a daily limit", () => {
  const daily = rule({ requests_per_second: 100, burst_requests: 200, requests_per_day_max: 500 });

  it("is spent to the last request but those in leases, by no more, and begins again at midnight", async () => {
    const { world, all } = worldOf(1, same(4));
    const first = world.traffic({ ...hot, per_second: 50, rule: daily }, () => all);
    await world.run(SECONDS);
    expect(first.admitted).toBeLessThanOrEqual(500);
    expect(first.admitted).toBeGreaterThanOrEqual(475);
    await world.run(86_400);
    const second = world.traffic({ ...hot, per_second: 10, seconds: 10, rule: daily }, () => all);
    await world.run(11);
    expect(second).toMatchObject({ admitted: 100, refused: 0 });
  });

  it("counts what was asked, not what was leased", async () => {
    const { world, all } = worldOf(1, same(1));
    const slow = world.traffic({ ...hot, per_second: 0.2, seconds: 3000, rule: daily }, () => all);
    await world.run(3001);
    expect(slow.admitted).toBe(600 - slow.refused);
    expect(slow.admitted).toBeGreaterThanOrEqual(490);
    expect(slow.admitted).toBeLessThanOrEqual(500);
  });
});

describe("a bucket over several items", () => {
  it("admits the same, with the writes spread", async () => {
    const sharded = rule({ requests_per_second: 40, burst_requests: 80, shards: 4 });
    const { world, all } = worldOf(1, same(8));
    const seen = world.traffic({ ...hot, per_second: 200, rule: sharded }, () => all);
    await world.run(SECONDS);
    expect(seen.admitted).toBeLessThanOrEqual(limit(sharded, SECONDS));
    expect(seen.admitted).toBeGreaterThanOrEqual(limit(sharded, SECONDS) * 0.95);
  });
});
