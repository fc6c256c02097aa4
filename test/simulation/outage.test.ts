import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { DependencyGuard } from "#lib/circuit/dependency-guard.ts";
import { ParkedFault } from "#lib/errors/fault.ts";
import type { CircuitBreakerConfig } from "#schemas/config/circuit-breaker.ts";
import { type Figures, figuresOf } from "../../bench/outage/figures.ts";
import { runVariant, type Variant } from "../../bench/outage/lab.ts";
import { type OursOptions, ours } from "../../bench/outage/ours.ts";
import { plain } from "../../bench/outage/plain.ts";
import { makePlan, TROUBLES } from "../../bench/outage/plan.ts";
import type { Mutation } from "./engine/mutation.ts";

/** After this time as many tasks end as arrive again. */
const RECOVERY_SECONDS_MAX = 60;

const limit = Error.stackTraceLimit;
beforeAll(() => {
  Error.stackTraceLimit = 0;
});
afterAll(() => {
  Error.stackTraceLimit = limit;
});

/** The bench's outage with a quarter of its traffic, of calls four times as long: as many environments are busy. */
async function outage(variant: Variant, trouble: string, seed: number): Promise<Figures> {
  const found = TROUBLES.find(({ name }) => name === trouble);
  if (!found) throw new Error(`there is no trouble ${trouble}`);
  const plan = makePlan(found, seed, 50, true);
  const slower = {
    ...plan,
    tasks_per_second: 1,
    call_ms: 12_000,
    call_timeout_ms: 36_000,
    arrivals_until_ms: plan.outage_until_ms + 180_000,
  };
  return figuresOf(await runVariant(variant, slower));
}

/** The promises that figures break. */
function broken(figures: Figures): string[] {
  const { tasks, done, dead_lettered, lost, violations, amplification, amplification_outage } = figures;
  const { probes_at_once_max, recovery_seconds, herd, healthy_writes_per_window } = figures;
  const promises: [string, boolean][] = [
    ["every task is done", done === tasks],
    ["none is lost", lost === 0],
    ["none is dead-lettered for the outage", dead_lettered === 0],
    ["invariants hold", violations?.length === 0],
    ["fewer than two calls for a success possible", amplification < 2 && amplification_outage < 2],
    ["one probe at a time", probes_at_once_max === 1],
    [
      "95 % of the throughput is back in time",
      (recovery_seconds ?? Number.POSITIVE_INFINITY) <= RECOVERY_SECONDS_MAX,
    ],
    ["no herd", herd.calls_20s <= 2],
    ["a healthy fleet writes once a window", (healthy_writes_per_window ?? Number.POSITIVE_INFINITY) <= 1],
  ];
  return promises.filter(([, kept]) => !kept).map(([promise]) => promise);
}

describe("an outage of five minutes over 50 environments", () => {
  it.each([
    ["fails-60", 1],
    ["fails-100", 3],
  ])("loses nothing, multiplies nothing and leaves no herd behind: %s, seed %i", async (trouble, seed) => {
    const figures = await outage(ours(), trouble, seed);
    expect(broken(figures), JSON.stringify(figures)).toEqual([]);
  });

  it("does harm to a queue with nothing but its redrive", async () => {
    expect(broken(await outage(plain(3), "fails-60", 1))).toContain("none is dead-lettered for the outage");
    expect(broken(await outage(plain(20), "fails-100", 1))).toContain("no herd");
  });
});

/** Calls without a circuit: the retry budget alone stands before the dependency. */
const withoutCircuit = (config: CircuitBreakerConfig): CircuitBreakerConfig => ({
  ...config,
  defaults: {
    ...config.defaults,
    failure_rate_open: 1,
    slow_rate_open: 1,
    consecutive_failures_open: 10_000,
    calls_min: 10_000,
  },
  circuits: {},
});

const withoutRamp = (config: CircuitBreakerConfig): CircuitBreakerConfig => ({
  ...config,
  defaults: { ...config.defaults, ramp_seconds: 0 },
});

/** Whatever is parked returns at the same moments. */
const inStep = (guard: DependencyGuard): DependencyGuard =>
  guardWith(guard, (error) => {
    if (!(error instanceof ParkedFault)) return error;
    return new ParkedFault(error.code, error.message, { cause: error.cause, retry_after_ms: 60_000 });
  });

function guardWith(guard: DependencyGuard, change: (error: unknown) => unknown): DependencyGuard {
  return {
    with: (bound) => guardWith(guard.with(bound), change),
    call: (request, work) =>
      guard.call(request, work).catch((error) => {
        throw change(error);
      }),
  };
}

/** Every write to a circuit takes: a probe's election too. */
const everyoneElected: Mutation = {
  name: "every election takes",
  write: (input, { pk }) =>
    pk === "CIRCUITS" && input.ConditionExpression
      ? { ...input, ConditionExpression: `(${input.ConditionExpression}) OR attribute_exists(pk)` }
      : input,
};

describe("it is noticed when", () => {
  const mutations: (OursOptions & { name: string; breaks: string })[] = [
    { name: "there is no ramp", circuits: withoutRamp, breaks: "no herd" },
    { name: "there is no ramp, and no jitter", circuits: withoutRamp, guard: inStep, breaks: "no herd" },
    { name: "whoever asks is elected the probe", mutation: everyoneElected, breaks: "one probe at a time" },
  ];
  it.each(mutations)("$name", async ({ breaks, ...options }) => {
    expect(broken(await outage(ours(options), "fails-60", 1))).toContain(breaks);
  });

  it("there is no circuit, and no retry budget; with the budget alone calls stay below two for a success", async () => {
    const retryBudget = () => ({ ratio: 1e9, floor_per_minute: 1e9 });
    const calls = "fewer than two calls for a success possible";
    const without = await outage(ours({ circuits: withoutCircuit, retryBudget }), "fails-60", 1);
    expect(broken(without)).toContain(calls);
    expect(broken(await outage(ours({ circuits: withoutCircuit }), "fails-60", 1))).not.toContain(calls);
  });
});
