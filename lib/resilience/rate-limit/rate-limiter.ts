import type { Runtime } from "#lib/platform/runtime/runtime.ts";
import { Bucket } from "#lib/resilience/rate-limit/bucket.ts";
import type { BucketKey } from "#lib/resilience/rate-limit/bucket-item.ts";
import type { BucketRule } from "#lib/resilience/rate-limit/bucket-rule.ts";
import { type BucketTablePorts, bucketTable } from "#lib/resilience/rate-limit/bucket-table.ts";
import type { Decision, TellCost } from "#lib/resilience/rate-limit/decision.ts";
import { sharedClock } from "#lib/resilience/rate-limit/shared-clock.ts";

interface LimiterPorts extends BucketTablePorts {
  runtime: Pick<Runtime, "now" | "sleep" | "random">;
}

export interface RateLimiter {
  /** Whether one more request may be served. Never throws. */
  take(key: BucketKey, rule: BucketRule, tell?: TellCost): Promise<Decision>;
}

/** The buckets held longest are let go first; what they had leased comes back in the table. */
const BUCKETS_MAX = 5000;

/**
 * One environment's rate limiter: a token bucket per tenant and route in the table (generic cell
 * rate algorithm), of which each environment leases some requests at a time with one conditional
 * write and spends them in memory. So no more than `burst + rate · time` are ever leased; what an
 * environment that dies has leased is lost for as long as it takes to come back.
 */
export function rateLimiter(ports: LimiterPorts): RateLimiter {
  const table = bucketTable(ports);
  const clock = sharedClock(ports.runtime.now);
  const buckets = new Map<string, Bucket>();
  return {
    take(key, rule, tell = () => undefined) {
      const name = `${key.tenant} ${key.route}`;
      let bucket = buckets.get(name);
      if (!bucket?.follows(rule)) {
        bucket = new Bucket(key, rule, { now_us: clock.now_us(), random: ports.runtime.random() });
        buckets.delete(name);
        buckets.set(name, bucket);
        const [oldest] = buckets.keys();
        if (buckets.size > BUCKETS_MAX && oldest !== undefined) buckets.delete(oldest);
      }
      return bucket.take({ table, clock, tell });
    },
  };
}
