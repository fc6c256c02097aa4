import type { CircuitPolicy } from "#schemas/config/circuit-breaker.ts";

/** The window is counted in this many parts, so that it slides instead of starting anew. */
const PARTS = 5;

/** A part that is never over: what was asked for ever, so that two looks at it tell the rate between them. */
export const ALWAYS = 0;

/**
 * What is counted. `calls` is counted when a call ends, with `failures` and `slow`; `damped` is what
 * was not let through because calls fail, `held` because many return at once; `retries` is every retry
 * that asked, `retry_calls` those let through. After an outage only, and by the second, `passed` is what
 * was let through, counted when it is, and `ended` those of them that are over.
 */
export type Count =
  | "calls"
  | "failures"
  | "slow"
  | "damped"
  | "held"
  | "passed"
  | "ended"
  | "retries"
  | "retry_calls";
export type Sums = Record<Count, number>;

/** By the start of the part (Unix ms), then by what is counted: a `Count`, or a slot for tenants. */
export type Traffic = Map<number, Map<string, number>>;

export function partMs({ window_seconds }: Pick<CircuitPolicy, "window_seconds">): number {
  return (window_seconds * 1000) / PARTS;
}

export function partOf(now: number, policy: Pick<CircuitPolicy, "window_seconds">): number {
  return now - (now % partMs(policy));
}

export function secondOf(now: number): number {
  return now - (now % 1000);
}

export function addTo(traffic: Traffic, part: number, name: string, amount: number): void {
  const counts = traffic.get(part) ?? new Map<string, number>();
  counts.set(name, (counts.get(name) ?? 0) + amount);
  traffic.set(part, counts);
}

/** Drops what began before `since`. */
export function dropBefore(traffic: Traffic, since: number): void {
  for (const part of traffic.keys()) if (part < since) traffic.delete(part);
}

/** The first part that counts: one window back, and nothing of an earlier state of the circuit. */
export function countedSince(
  now: number,
  counted_from: number,
  policy: Pick<CircuitPolicy, "window_seconds">,
): number {
  return Math.max(partOf(now, policy) - policy.window_seconds * 1000, counted_from);
}

/** Everything counted since, and before `until`, by name, over several sources. */
export function sumTraffic(
  sources: readonly Traffic[],
  since: number,
  until = Number.POSITIVE_INFINITY,
): Map<string, number> {
  const sums = new Map<string, number>();
  for (const traffic of sources) {
    for (const [part, counts] of traffic) {
      if (part < since || part >= until) continue;
      for (const [name, amount] of counts) sums.set(name, (sums.get(name) ?? 0) + amount);
    }
  }
  return sums;
}

export function sumsOf(all: ReadonlyMap<string, number>): Sums {
  const of = (name: Count) => all.get(name) ?? 0;
  return {
    calls: of("calls"),
    failures: of("failures"),
    slow: of("slow"),
    damped: of("damped"),
    held: of("held"),
    passed: of("passed"),
    ended: of("ended"),
    retries: of("retries"),
    retry_calls: of("retry_calls"),
  };
}

/** The columns of parts that began before `since`. */
export function columnsOver(traffic: Traffic | undefined, since: number): string[] {
  return [...(traffic ?? [])].flatMap(([part, counts]) =>
    part < since && part !== ALWAYS ? [...counts.keys()].map((name) => `${part}|${name}`) : [],
  );
}
