import type { Disposition } from "#lib/errors/fault.ts";
import type { RetryPolicyConfig } from "#schemas/config/retry-policy.ts";

/**
 * How long to wait before attempt `attempt + 1`, in ms: full jitter, which spreads clients best
 * for the least total work (https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/).
 */
export function backoffMs(
  policy: RetryPolicyConfig,
  disposition: Disposition,
  attempt: number,
  random: () => number,
): number {
  const base = disposition === "throttle" ? policy.throttle_backoff_ms_base : policy.backoff_ms_base;
  const ceiling = Math.min(policy.backoff_ms_max, base * 2 ** Math.max(0, attempt - 1));
  return Math.ceil(ceiling * random());
}
