import { type CountedMetric, durationSums, type TimedMetric } from "#lib/platform/metrics/catalogue.ts";

/** The tenant of counts that belong to no tenant, such as configuration changes. Every tenant may see them. */
export const PLATFORM_TENANT = "_platform";

/** Counts and durations of one invocation, by tenant; handed to the environment's `CountBuffer` when it ends. */
export interface Counters {
  count(metric: CountedMetric, tenant: string, amount?: number): void;
  /** Adds to `<metric>_ms_sum`, `<metric>_count` and the bucket of that duration. */
  duration(metric: TimedMetric, tenant: string, milliseconds: number): void;
  entries(): { metric: string; tenant: string; amount: number }[];
}

export function makeCounters(): Counters {
  const sums = new Map<string, { metric: string; tenant: string; amount: number }>();
  const add = (metric: string, tenant: string, amount: number) => {
    const key = `${metric}|${tenant}`;
    const sum = sums.get(key) ?? { metric, tenant, amount: 0 };
    sum.amount += amount;
    sums.set(key, sum);
  };
  return {
    count: (metric, tenant, amount = 1) => add(metric, tenant, amount),
    duration(metric, tenant, milliseconds) {
      for (const [sum, amount] of durationSums(metric, milliseconds)) add(sum, tenant, amount);
    },
    entries: () => [...sums.values()],
  };
}
