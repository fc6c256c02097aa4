import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Figures, figuresOf } from "../../bench/outage/figures.ts";
import { runVariant, type Variant } from "../../bench/outage/lab.ts";
import { type OursOptions, ours } from "../../bench/outage/ours.ts";
import { plain } from "../../bench/outage/plain.ts";
import { makePlan, TROUBLES } from "../../bench/outage/plan.ts";

/** After this time as many tasks end as arrive again. */
const RECOVERY_SECONDS_MAX = 60;

const limit = Error.stackTraceLimit;
beforeAll(() => {
  Error.stackTraceLimit = 0;
});
afterAll(() => {
  Error.stackTraceLimit = limit;
});

/** The bench's outage with half its traffic, of calls twice as long: as many environments are busy. */
async function outage(variant: Variant, trouble: string, seed: number): Promise<Figures> {
  const found = TROUBLES.find(({ name }) => name === trouble);
  if (!found) throw new Error(`there is no trouble ${trouble}`);
  const plan = {
    ...makePlan(found, seed, 50, true),
    tasks_per_second: 2,
    call_ms: 6000,
    call_timeout_ms: 18_000,
  };
  return figuresOf(await runVariant(variant, plan));
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
    ["no herd", herd.calls_10s <= 2],
    ["a healthy fleet writes once a window", (healthy_writes_per_window ?? Number.POSITIVE_INFINITY) <= 1],
  ];
  return promises.filter(([, kept]) => !kept).map(([promise]) => promise);
}

describe("an outage of five minutes over 50 environments", () => {
  it.each([
    ["fails-60", 1],
    ["fails-60", 2],
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

describe("it is noticed when", () => {
  const mutations: (OursOptions & { name: string; breaks: string })[] = [];
  it.each(mutations)("$name", async ({ breaks, ...options }) => {
    expect(broken(await outage(ours(options), "fails-60", 1))).toContain(breaks);
  });
});
