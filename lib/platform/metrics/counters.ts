/** The tenant of counts that belong to no tenant, such as configuration changes. Every tenant may see them. */
export const PLATFORM_TENANT = "_platform";

/** Counts and durations of one invocation, by tenant; handed to the environment's `CountBuffer` when it ends. */
export interface Counters {
  count(metric: string, tenant: string, amount?: number): void;
  /** Adds to `<metric>_ms_sum` and `<metric>_count`. */
  duration(metric: string, tenant: string, milliseconds: number): void;
  entries(): { metric: string; tenant: string; amount: number }[];
}

export function makeCounters(): Counters {
  const sums = new Map<string, { metric: string; tenant: string; amount: number }>();
  const count = (metric: string, tenant: string, amount = 1) => {
    const key = `${metric}|${tenant}`;
    const sum = sums.get(key) ?? { metric, tenant, amount: 0 };
    sum.amount += amount;
    sums.set(key, sum);
  };
  return {
    count,
    duration(metric, tenant, milliseconds) {
      count(`${metric}_ms_sum`, tenant, Math.round(milliseconds));
      count(`${metric}_count`, tenant);
    },
    entries: () => [...sums.values()],
  };
}
