import type { Disposition } from "#lib/platform/errors/fault.ts";
import type { RetryPolicy } from "#schemas/config/retry-policy.ts";

export type BackoffPolicy = Pick<
  RetryPolicy,
  "jitter" | "backoff_ms_base" | "backoff_ms_max" | "throttle_backoff_ms_base"
>;

/** More attempts than any policy allows; `backoff_ms_max` is reached long before. */
const WAITS_MAX = 50;

/**
 * How long to wait before attempt `attempt + 1`, in ms, drawn with the policy's jitter
 * (https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/). Full jitter causes the least total
 * work; decorrelated jitter never returns at once. The earlier waits that decorrelated jitter depends on are not
 * stored but drawn again, which gives the same distribution.
 */
export function backoffMs(
  policy: BackoffPolicy,
  disposition: Disposition,
  attempt: number,
  random: () => number,
): number {
  const base = disposition === "throttle" ? policy.throttle_backoff_ms_base : policy.backoff_ms_base;
  const waits = Math.min(WAITS_MAX, Math.max(1, attempt));
  if (policy.jitter === "full") {
    return Math.ceil(Math.min(policy.backoff_ms_max, base * 2 ** (waits - 1)) * random());
  }
  let wait_ms = base;
  for (let drawn = 0; drawn < waits; drawn += 1) {
    wait_ms = Math.min(policy.backoff_ms_max, base + (3 * wait_ms - base) * random());
  }
  return Math.ceil(wait_ms);
}
