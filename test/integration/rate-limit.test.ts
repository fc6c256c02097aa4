import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { systemRuntime } from "#lib/platform/runtime/runtime.ts";
import type { BucketRule } from "#lib/resilience/rate-limit/bucket-plan.ts";
import { rateLimiter } from "#lib/resilience/rate-limit/rate-limiter.ts";
import { realTable } from "#test/fakes/real-table.ts";

let store: Awaited<ReturnType<typeof realTable>>;
beforeAll(async () => {
  store = await realTable();
});
afterAll(() => store?.close());

const rule = (fields: Partial<BucketRule> = {}): BucketRule => ({
  requests_per_second: 0.001,
  burst_requests: 20,
  requests_per_day_max: null,
  shards: 1,
  ...fields,
});
let now = Date.parse("2026-11-22T23:59:00Z");
const environment = () => rateLimiter({ ...store, runtime: { ...systemRuntime, now: () => now } });

/** How many of so many requests, alternately through each environment, are admitted. */
async function admitted(
  tenant: string,
  requests: number,
  asked: BucketRule,
  environments = [environment(), environment()],
): Promise<number> {
  let sum = 0;
  for (let number = 0; number < requests; number += 1) {
    const limiter = environments[number % environments.length];
    const decision = await limiter?.take({ tenant, route: "GET /api/tasks" }, asked);
    if (decision?.kind === "admitted") sum += 1;
  }
  return sum;
}

describe("buckets in the table", () => {
  it("are shared by environments, to the last request", async () => {
    expect(await admitted("shared", 60, rule())).toBe(20);
    expect(await admitted("shared", 20, rule())).toBe(0);
  });

  it("keep their debt when the rule changes, and fill again in time", async () => {
    expect(await admitted("changing", 60, rule())).toBe(20);
    const faster = rule({ requests_per_second: 10 });
    expect(await admitted("changing", 5, faster)).toBe(0);
    now += 1500;
    expect(await admitted("changing", 60, faster)).toBeGreaterThanOrEqual(14);
    now += 10_000;
    expect(await admitted("changing", 60, faster)).toBe(20);
  });

  it("count a day to its end, and the next from nothing", async () => {
    const daily = rule({ requests_per_second: 1000, burst_requests: 1000, requests_per_day_max: 15 });
    expect(await admitted("daily", 40, daily)).toBe(15);
    now += 60_000;
    expect(await admitted("daily", 40, daily)).toBe(15);
  });

  it("may be divided over several items", async () => {
    expect(await admitted("sharded", 60, rule({ shards: 3 }))).toBe(20);
  });

  it("admit those who come at once together, with few writes", async () => {
    const costs: string[] = [];
    const limiter = environment();
    const decisions = await Promise.all(
      Array.from({ length: 25 }, () =>
        limiter.take({ tenant: "burst", route: "GET /api/tasks" }, rule(), (cost) => costs.push(cost)),
      ),
    );
    expect(decisions.filter(({ kind }) => kind === "admitted")).toHaveLength(20);
    expect(costs.filter((cost) => cost === "rate_limit_writes").length).toBeLessThanOrEqual(4);
  });
});
