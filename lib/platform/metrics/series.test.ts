import { describe, expect, it } from "vitest";
import { BUCKETS_MS, COUNTERS, GAUGES, HISTOGRAMS } from "#lib/platform/metrics/catalogue.ts";
import { makeCounters } from "#lib/platform/metrics/counters.ts";
import { foldTenants } from "#lib/platform/metrics/fold-tenants.ts";
import { counterSamples, histogramOf, quantileOf } from "#lib/platform/metrics/series.ts";

function rowOf(tenant: string, fill: (counters: ReturnType<typeof makeCounters>) => void) {
  const counters = makeCounters();
  fill(counters);
  const amounts = new Map(counters.entries().map(({ metric, amount }) => [metric, amount]));
  return { service: "codegen", role: "worker", shard: "0", tenant, amounts };
}

describe("a histogram", () => {
  const durations = (...all: number[]) =>
    histogramOf(
      rowOf("acme", (counters) => {
        for (const each of all) counters.duration("step", "acme", each);
      }).amounts,
      "step",
    );

  it("counts a duration in its bucket and every larger one", () => {
    const { buckets, count, sum_seconds } = durations(10, 10.4, 51, 2_000_000) ?? { buckets: [] };
    expect([count, sum_seconds]).toEqual([4, 2000.071]);
    expect(buckets.slice(0, 3).map(({ count: below }) => below)).toEqual([1, 2, 3]);
    expect(buckets.at(-1)).toEqual({ le_seconds: 900, count: 3 });
    expect(durations()).toBeUndefined();
  });

  it("gives quantiles by interpolation, and the last bound for what is above", () => {
    const hundred = durations(...Array.from({ length: 100 }, (_, index) => (index < 50 ? 80 : 400)));
    expect(quantileOf(hundred!, 0.5)).toBeCloseTo(0.1);
    expect(quantileOf(hundred!, 0.75)).toBeCloseTo(0.375);
    expect(quantileOf(durations(5_000_000)!, 0.99)).toBe(900);
  });
});

describe("tenants beyond the cap", () => {
  const rows = Array.from({ length: 500 }, (_, index) =>
    rowOf(`t${String(index).padStart(3, "0")}`, (counters) => counters.count("steps_passed", "", 1)),
  );
  const platform = rowOf("_platform", (counters) => counters.count("config_changed", "", 1));

  it("are added up as other, and no more series are made than the cap allows", () => {
    const {
      rows: folded,
      folded: number,
      shown,
    } = foldTenants([...rows, platform], {
      named_tenants: ["t400", "absent"],
      tenants_max: 20,
    });
    expect([folded.length, number, shown.length]).toEqual([22, 480, 20]);
    expect(shown).toEqual([...rows.slice(0, 19).map(({ tenant }) => tenant), "t400"]);
    const of = (tenant: string) => folded.find((row) => row.tenant === tenant)?.amounts.get("steps_passed");
    expect([of("other"), of("t400"), of("_platform")]).toEqual([480, 1, undefined]);
    expect(counterSamples(folded).reduce((sum, { value }) => sum + value, 0)).toBe(501);
  });

  it("are none where there is room, and a tenant called other is never shown as if it were one", () => {
    const few = [...rows.slice(0, 2), rowOf("other", (counters) => counters.count("steps_passed", "", 7))];
    const { rows: folded, folded: number } = foldTenants(few, { named_tenants: ["other"], tenants_max: 50 });
    expect([folded.map(({ tenant }) => tenant), number]).toEqual([["t000", "t001", "other"], 0]);
  });
});

describe("the catalogue", () => {
  it("names metrics as Prometheus does", () => {
    const names = [
      ...Object.keys(COUNTERS),
      ...Object.values(HISTOGRAMS).map(({ name }) => name),
      ...Object.keys(GAUGES),
    ];
    expect(names.every((name) => /^agents_[a-z_]+$/.test(name))).toBe(true);
    expect(Object.keys(COUNTERS).every((name) => name.endsWith("_total"))).toBe(true);
    expect(Object.keys(GAUGES).some((name) => /_(total|count|sum|bucket)$/.test(name))).toBe(false);
    expect(Object.values(HISTOGRAMS).every(({ name }) => name.endsWith("_seconds"))).toBe(true);
  });

  it("has each sum once, and buckets in order", () => {
    const sums = Object.values(COUNTERS).flatMap(({ sums: of_family }) => Object.keys(of_family));
    expect(new Set(sums).size).toBe(sums.length);
    expect(BUCKETS_MS).toEqual([...BUCKETS_MS].sort((a, b) => a - b));
  });

  it("tells money in USD", () => {
    const row = rowOf("acme", (counters) => counters.count("model_usd_micros", "", 1_250_000));
    expect(counterSamples([row])).toMatchObject([{ name: "agents_model_cost_usd_total", value: 1.25 }]);
  });
});
