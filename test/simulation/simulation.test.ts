import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { RECEIVES_MAX } from "#lib/agents/agent/settle-failure.ts";
import { simulateSeed } from "./simulate-seed.ts";
import { readDeployment } from "./workload/deployment.ts";

const SEEDS = 300;

const limit = Error.stackTraceLimit;
beforeAll(() => {
  Error.stackTraceLimit = 0;
});
afterAll(() => {
  Error.stackTraceLimit = limit;
});

/** What a few hundred seeds must have met; a simulation that meets none of it proves nothing. */
const EXERCISED = [
  "answers used",
  "artifacts compared",
  "cancels accepted",
  "copies injected",
  "crashes",
  "dead letters",
  "deletes lost",
  "duplicate deliveries",
  "effects",
  "events told",
  "events told again",
  "fenced writes refused",
  "freezes",
  "leases taken over",
  "log DELIVERIES_SWEPT",
  "log DELIVERY_NOT_SENT",
  "log DUPLICATE_BLOCKED",
  "log NUDGE_LOST",
  "log STEP_CANCELED",
  "log TASKS_SWEPT",
  "messages back from the dead",
  "messages forwarded",
  "mismatches injected",
  "operations answer_lost",
  "operations late_copy",
  "operations refused",
  "operations sent_twice",
  "operations slow",
  "poison messages",
  "questions asked",
  "repeated submissions",
  "restarts",
  "runs refused: MODEL_QUOTA_SPENT",
  "steps canceled",
  "steps parked",
  "submissions refused: IDEMPOTENCY_MISMATCH",
  "tasks canceled",
  "tasks failed",
  "tasks succeeded",
  "timeouts",
];

describe("the simulated system", () => {
  it(`keeps every invariant in seeds 1 to ${SEEDS}, which meet every kind of fault`, async () => {
    const counts = new Map<string, number>();
    for (let seed = 1; seed <= SEEDS; seed += 1) {
      const result = await simulateSeed(seed);
      expect(result.violations, `npm run simulate -- --seed ${seed} --trace`).toEqual([]);
      for (const [name, amount] of result.counts) counts.set(name, (counts.get(name) ?? 0) + amount);
    }
    expect(EXERCISED.filter((name) => !counts.get(name))).toEqual([]);
  });

  it("does the same again for the same seed, and something else for another", async () => {
    for (const seed of [3, 137, 1024]) {
      const lines: string[][] = [[], []];
      const first = await simulateSeed(seed, { trace: (line) => lines[0]?.push(line) });
      const again = await simulateSeed(seed, { trace: (line) => lines[1]?.push(line) });
      expect(lines[1]).toEqual(lines[0]);
      expect(again.trace_hash).toBe(first.trace_hash);
      expect((await simulateSeed(seed + 1)).trace_hash).not.toBe(first.trace_hash);
    }
  });

  it("doubles nothing when clocks are five minutes apart; only attempts may be wasted", async () => {
    for (let seed = 1; seed <= 100; seed += 1) {
      const { violations } = await simulateSeed(seed, { faults: { clock_skew_ms: 150_000 } });
      expect(violations, `seed ${seed}`).toEqual([]);
    }
  });

  it("gives messages up at the receive that serverless.yml says is the last", () => {
    for (const { receives_max } of readDeployment("local").functions) expect(receives_max).toBe(RECEIVES_MAX);
  });
});
