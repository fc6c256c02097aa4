import type { Loaded } from "#lib/platform/config/config-file.ts";
import { effectivePolicy } from "#lib/platform/config/effective-policy.ts";
import type { Runtime } from "#lib/platform/runtime/runtime.ts";
import type { TableClient } from "#lib/platform/table/operations.ts";
import type { CountTableUse, RateDecision } from "#lib/resilience/rate-limit/bucket.ts";
import type { BucketKey, BucketRule } from "#lib/resilience/rate-limit/bucket-plan.ts";
import { localLimiter, rateLimiter } from "#lib/resilience/rate-limit/rate-limiter.ts";
import type { RoutePoliciesConfig, RoutePolicy } from "#schemas/config/route-policies.ts";

interface GatePorts {
  routePolicies(): Loaded<RoutePoliciesConfig>;
  stage: string;
  table: TableClient;
  table_name: string;
  runtime: Pick<Runtime, "now" | "sleep" | "random">;
}

/** What is allowed, and what has been asked for so far: one for a whole process. */
export interface RequestGate {
  /** As the file in force says; undefined: nobody has opened the route. */
  policyOf(key: BucketKey): RoutePolicy | undefined;
  /** Counts one request. `unknown` only where the policy says to be closed while the table does not answer. */
  take(key: BucketKey, policy: RoutePolicy, count: CountTableUse): Promise<RateDecision>;
}

export function requestGate({ routePolicies, stage, ...ports }: GatePorts): RequestGate {
  const limiter = rateLimiter(ports);
  const takeLocally = localLimiter(ports.runtime.now);
  return {
    policyOf: (key) => effectivePolicy(routePolicies().value, { stage, ...key }),
    async take(key, policy, count) {
      const rule = ruleOf(policy);
      const decision = await limiter.take(key, rule, count);
      const open = decision.kind === "unknown" && policy.on_limiter_failure === "open";
      return open ? takeLocally(key, rule) : decision;
    },
  };
}

/** What of a policy the limiter goes by. */
export function ruleOf(policy: RoutePolicy): BucketRule {
  const { requests_per_second, burst_requests, requests_per_day_max, shards } = policy;
  return { requests_per_second, burst_requests, requests_per_day_max, shards };
}
