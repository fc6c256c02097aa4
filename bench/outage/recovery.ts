import type { Call } from "./dependency.ts";
import type { Plan } from "./plan.ts";

const WINDOW_MS = 30_000;
const STEP_MS = 1000;
const SHARE = 0.95;

/**
 * Seconds from the end of the outage to the start of the first 30 s in which at least 95 % as many
 * calls succeed as tasks arrive on average. Null when that never comes while tasks arrive.
 */
export function recoverySeconds(calls: Call[], plan: Plan): number | null {
  const { outage_until_ms: until, tasks_per_second, arrivals_until_ms } = plan;
  const wanted = SHARE * tasks_per_second * (WINDOW_MS / 1000);
  const successes = calls
    .filter(({ ok, ended_at }) => ok && ended_at >= until)
    .map(({ ended_at }) => ended_at);
  successes.sort((a, b) => a - b);
  let first = 0;
  let next = 0;
  for (let from = until; from + WINDOW_MS <= arrivals_until_ms; from += STEP_MS) {
    while (first < successes.length && (successes[first] as number) < from) first += 1;
    while (next < successes.length && (successes[next] as number) < from + WINDOW_MS) next += 1;
    if (next - first >= wanted) return (from - until) / 1000;
  }
  return null;
}
