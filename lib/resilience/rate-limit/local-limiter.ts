import type { BucketKey } from "#lib/resilience/rate-limit/bucket-item.ts";
import type { BucketRule } from "#lib/resilience/rate-limit/bucket-rule.ts";
import type { Decision } from "#lib/resilience/rate-limit/decision.ts";

const BUCKETS_MAX = 5000;

/**
 * The same algorithm in this environment's memory alone, for while the table does not answer. Every
 * environment admits the whole rate then, and no day is counted.
 */
export function localLimiter(now: () => number): (key: BucketKey, rule: BucketRule) => Decision {
  const arrivals = new Map<string, number>();
  return ({ tenant, route }, { requests_per_second, burst_requests }) => {
    const name = `${tenant} ${route}`;
    const interval_ms = 1000 / requests_per_second;
    const arrival_ms = Math.max(arrivals.get(name) ?? 0, now()) + interval_ms;
    const room_ms = now() + burst_requests * interval_ms - arrival_ms;
    if (room_ms < 0) {
      return {
        kind: "refused",
        reason: "rate",
        retry_after_seconds: Math.max(1, Math.ceil(-room_ms / 1000)),
      };
    }
    arrivals.delete(name);
    arrivals.set(name, arrival_ms);
    const [oldest] = arrivals.keys();
    if (arrivals.size > BUCKETS_MAX && oldest !== undefined) arrivals.delete(oldest);
    return { kind: "admitted", remaining: Math.floor(room_ms / interval_ms) };
  };
}
