import { LRUCache } from "lru-cache";
import type { Runtime } from "#lib/platform/runtime/runtime.ts";
import {
  Bucket,
  type CountTableUse,
  type RateDecision,
  SharedClock,
} from "#lib/resilience/rate-limit/bucket.ts";
import type { BucketKey, BucketRule } from "#lib/resilience/rate-limit/bucket-plan.ts";
import { type BucketTablePorts, bucketTable } from "#lib/resilience/rate-limit/bucket-table.ts";

interface LimiterPorts extends BucketTablePorts {
  runtime: Pick<Runtime, "now" | "sleep" | "random">;
}

export interface RateLimiter {
  /** Whether one more request may be served. Never throws. */
  take(key: BucketKey, rule: BucketRule, count?: CountTableUse): Promise<RateDecision>;
}

/** Beyond this many buckets the least recently used is forgotten; what it had taken comes back in the table. */
const BUCKETS_MAX = 5000;

/**
 * One environment's rate limiter. Each tenant and route has a token bucket in the table (generic cell rate
 * algorithm); an environment takes an allotment of it with one conditional write and spends it in memory. So no
 * more than `burst + rate · time` is ever taken. What an environment that dies has taken is lost until it would
 * have come back.
 */
export function rateLimiter(ports: LimiterPorts): RateLimiter {
  const table = bucketTable(ports);
  const clock = new SharedClock(ports.runtime.now);
  const buckets = new LRUCache<string, Bucket>({ max: BUCKETS_MAX });
  return {
    take(key, rule, count = () => undefined) {
      const name = `${key.tenant} ${key.route}`;
      let bucket = buckets.get(name);
      if (!bucket?.follows(rule)) {
        bucket = new Bucket(key, rule, { now_us: clock.now_us(), random: ports.runtime.random() });
        buckets.set(name, bucket);
      }
      return bucket.take({ table, clock, count });
    },
  };
}

/**
 * The same algorithm in this environment's memory alone, while the table does not answer. Every environment then
 * admits the whole rate, and the day is not counted.
 */
export function localLimiter(now: () => number): (key: BucketKey, rule: BucketRule) => RateDecision {
  const arrivals = new LRUCache<string, number>({ max: BUCKETS_MAX });
  return ({ tenant, route }, { requests_per_second, burst_requests }) => {
    const name = `${tenant} ${route}`;
    const interval_ms = 1000 / requests_per_second;
    const arrival_ms = Math.max(arrivals.get(name) ?? 0, now()) + interval_ms;
    const room_ms = now() + burst_requests * interval_ms - arrival_ms;
    if (room_ms < 0) {
      const retry_after_seconds = Math.max(1, Math.ceil(-room_ms / 1000));
      return { kind: "refused", reason: "rate", retry_after_seconds };
    }
    arrivals.set(name, arrival_ms);
    return { kind: "admitted", remaining: Math.floor(room_ms / interval_ms) };
  };
}
