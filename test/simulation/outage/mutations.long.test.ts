import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { faultOf, ParkedFault } from "#lib/platform/errors/fault.ts";
import type { DependencyGuard } from "#lib/resilience/circuit/dependency-guard.ts";
import type { CircuitBreakerConfig } from "#schemas/config/circuit-breaker.ts";
import { type OursOptions, ours } from "../../../bench/outage/ours.ts";
import type { Mutation } from "../engine/mutation.ts";
import { brokenPromises, smallOutage } from "./promises.ts";

vi.setConfig({ testTimeout: 900_000 }); // ten seconds of work each, which a busy machine may take long for
const limit = Error.stackTraceLimit;
beforeAll(() => {
  Error.stackTraceLimit = 0;
});
afterAll(() => {
  Error.stackTraceLimit = limit;
});

/** The promises broken without some of the protection. */
async function broken(options: OursOptions, trouble = "fails-60", seed = 1): Promise<string[]> {
  return brokenPromises(await smallOutage(ours(options), trouble, seed), trouble);
}

const SEEDS = [8, 9, 10, 11, 12];

/** Whether one of a few outages breaks the promise: not every one brings what a mutation needs. */
async function isBroken(promise: string, options: OursOptions, trouble?: string): Promise<boolean> {
  for (const seed of SEEDS) if ((await broken(options, trouble, seed)).includes(promise)) return true;
  return false;
}

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
    return faultOf("park", error.code, error.message, {
      cause: error.cause,
      retry_after_ms: 60_000,
      spread: true,
    });
  });

/** Failures of an outage cost attempts as any others. */
const charged = (guard: DependencyGuard): DependencyGuard =>
  guardWith(guard, (error) =>
    error instanceof ParkedFault && error.code === "DEPENDENCY_FAILING" ? error.cause : error,
  );

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
  const mutations: (OursOptions & { name: string; breaks: string; trouble?: string })[] = [
    { name: "there is no ramp", circuits: withoutRamp, breaks: "no herd" },
    { name: "there is no ramp, and no jitter", circuits: withoutRamp, guard: inStep, breaks: "no herd" },
    {
      name: "whoever asks is elected the probe",
      mutation: everyoneElected,
      breaks: "one probe at a time",
      trouble: "overload", // its probes take long enough for several to meet
    },
  ];
  it.each(mutations)("$name", async ({ breaks, trouble, ...options }) => {
    expect(await isBroken(breaks, options, trouble)).toBe(true);
  });

  it("there is no circuit, and no retry budget or no regard for others; with these alone promises hold", async () => {
    const retryBudget = () => ({ ratio: 1e9, floor_per_minute: 1e9 });
    const calls = "fewer than two calls for a success possible";
    const dead_letters = "none is dead-lettered for the outage";
    expect(await broken({ circuits: withoutCircuit, retryBudget })).toContain(calls);
    const unprotected = { circuits: withoutCircuit, retryBudget };
    expect(await broken({ ...unprotected, guard: charged }, "fails-100")).toContain(dead_letters);
    expect(await broken(unprotected, "fails-100")).not.toContain(dead_letters);
    const with_both = await broken({ circuits: withoutCircuit });
    expect(with_both).not.toContain(calls);
    expect(with_both).not.toContain(dead_letters);
  });
});
