import type { RetryPolicyConfig } from "#schemas/config/retry-policy.ts";

/** A retry policy whose defaults have these fields replaced. */
export function retryPolicy(
  defaults: Record<string, unknown> = {},
  overrides: RetryPolicyConfig["overrides"] = [],
): RetryPolicyConfig {
  return {
    $schema: "../schemas/json/config.retry_policy.schema.json",
    redispatch_seconds: 30,
    defaults: {
      attempts_max: 5,
      jitter: "full",
      backoff_ms_base: 1000,
      backoff_ms_max: 60_000,
      throttle_backoff_ms_base: 5000,
      total_seconds_max: 3600,
      last_try_seconds_min: 60,
      retry_budget_ratio: 0.2,
      retry_budget_floor_per_minute: 10,
      park_spread_ratio: 1,
      dispositions: {},
      ...defaults,
    },
    overrides,
  };
}
