import type { Call } from "./dependency.ts";
import type { Fate, Lab, Running } from "./lab.ts";
import { recoverySeconds } from "./recovery.ts";

/** What one run comes to. Rates are calls a second over the tasks that arrive a second. */
export interface Figures {
  tasks: number;
  done: number;
  dead_lettered: number;
  failed: number;
  lost: number;
  unfinished: number;
  /** Invariants of the simulation that did not hold; null where nothing watches them. */
  violations: string[] | null;
  calls: number;
  /** Calls over tasks, the whole run. A task can succeed once, so tasks are the successes possible. */
  amplification: number;
  /** The same for the outage: calls during it over the tasks that were there to be done during it. */
  amplification_outage: number;
  /** Calls in the busiest 5 s of the outage. */
  outage_peak: number;
  probes_at_once_max: number;
  /** From the end of the outage until 30 s follow that end 95 % of what arrives; null: never. */
  recovery_seconds: number | null;
  /** Until nothing that arrived during the outage is left. */
  drained_seconds: number | null;
  /** All calls, and those that are not a task's first, in the busiest 1, 5, 10 and 20 s after the outage. */
  herd: {
    calls_1s: number;
    calls_5s: number;
    calls_10s: number;
    calls_20s: number;
    again_1s: number;
    again_5s: number;
  };
  /** The busiest 1 s and 5 s before the outage: what chance alone does. */
  steady_peak: { calls_1s: number; calls_5s: number };
  latency_seconds: { median: number; p99: number };
  latency_p99_by_tenant: Record<string, number>;
  healthy_writes_per_window: number | null;
}

export function figuresOf({ lab, running }: { lab: Lab; running: Running }): Figures {
  const { plan, dependency } = lab;
  const { calls } = dependency;
  const fates = [...lab.fates.values()];
  const count = (outcome: Fate["outcome"]) => fates.filter((fate) => fate.outcome === outcome).length;
  const { outage_from_ms: from, outage_until_ms: until } = plan;
  const during = calls.filter(({ at }) => at >= from && at < until);
  const due = fates.filter(
    ({ arrived_at, ended_at = plan.end_ms }) => arrived_at < until && ended_at >= from,
  );
  const before = calls.filter(({ at }) => at < from);
  const after = calls.filter(({ at }) => at >= until && at < plan.arrivals_until_ms);
  const again = after.filter(({ first }) => !first);
  const peakOf = (some: Call[], bucket_ms: number) => peak(some, bucket_ms) / plan.tasks_per_second;
  const latencies = fates.filter(({ outcome }) => outcome === "done");
  return {
    tasks: fates.length,
    done: count("done"),
    dead_lettered: count("dead-lettered"),
    failed: count("failed"),
    lost: count("lost"),
    unfinished: count("open"),
    violations: running.violations?.() ?? null,
    calls: calls.length,
    amplification: calls.length / fates.length,
    amplification_outage: during.length / due.length,
    outage_peak: peakOf(during, 5000),
    probes_at_once_max: dependency.probes_at_once_max(),
    recovery_seconds: recoverySeconds(calls, plan),
    drained_seconds: drainedSeconds(fates, until),
    herd: {
      calls_1s: peakOf(after, 1000),
      calls_5s: peakOf(after, 5000),
      calls_10s: peakOf(after, 10_000),
      calls_20s: peakOf(after, 20_000),
      again_1s: peakOf(again, 1000),
      again_5s: peakOf(again, 5000),
    },
    steady_peak: { calls_1s: peakOf(before, 1000), calls_5s: peakOf(before, 5000) },
    latency_seconds: { median: quantile(latencies, 0.5), p99: quantile(latencies, 0.99) },
    latency_p99_by_tenant: Object.fromEntries(
      plan.tenants.map(({ name }) => [
        name,
        quantile(
          latencies.filter(({ tenant }) => tenant === name),
          0.99,
        ),
      ]),
    ),
    healthy_writes_per_window: running.healthy_writes?.() ?? null,
  };
}

/** Calls a second in the busiest bucket. */
function peak(calls: Call[], bucket_ms: number): number {
  const buckets = new Map<number, number>();
  for (const { at } of calls) {
    const bucket = Math.floor(at / bucket_ms);
    buckets.set(bucket, (buckets.get(bucket) ?? 0) + 1);
  }
  return Math.max(0, ...buckets.values()) / (bucket_ms / 1000);
}

function drainedSeconds(fates: Fate[], until: number): number | null {
  const waiting = fates.filter(({ arrived_at }) => arrived_at < until);
  if (waiting.some(({ ended_at }) => ended_at === undefined)) return null;
  return Math.max(0, ...waiting.map(({ ended_at = 0 }) => ended_at - until)) / 1000;
}

/** Seconds from arrival to the end. */
function quantile(fates: Fate[], share: number): number {
  const sorted = fates.map(({ arrived_at, ended_at = 0 }) => ended_at - arrived_at).sort((a, b) => a - b);
  return (sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0) / 1000;
}
