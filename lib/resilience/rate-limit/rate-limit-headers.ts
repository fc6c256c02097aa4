import type { RateDecision } from "#lib/resilience/rate-limit/bucket.ts";
import type { BucketRule } from "#lib/resilience/rate-limit/bucket-plan.ts";

const DAY_SECONDS = 86_400;

/**
 * The headers `RateLimit-Policy`, `RateLimit` and, on a refusal, `Retry-After`, by
 * draft-ietf-httpapi-ratelimit-headers-10: lists of strings with parameters (RFC 9651). `rate` is the bucket, with
 * its size and the time it takes to fill; `day` is the limit of a day.
 */
export function rateLimitHeaders(rule: BucketRule, decision: RateDecision): Record<string, string> {
  const policy = { "ratelimit-policy": policyOf(rule) };
  if (decision.kind === "unknown") return policy;
  if (decision.kind === "admitted") {
    const { remaining, day } = decision;
    const items = [`"rate";r=${remaining};t=${Math.max(1, Math.ceil(1 / rule.requests_per_second))}`];
    if (day) items.push(`"day";r=${day.remaining};t=${day.reset_seconds}`);
    return { ...policy, ratelimit: items.join(", ") };
  }
  const { reason, retry_after_seconds: retry } = decision;
  return { ...policy, ratelimit: `"${reason}";r=0;t=${retry}`, "retry-after": String(retry) };
}

/** Windows are whole seconds. When a bucket fills in less than one, the quota is what comes back in a second. */
function policyOf({ requests_per_second, burst_requests, requests_per_day_max }: BucketRule): string {
  const window_seconds = Math.max(1, Math.ceil(burst_requests / requests_per_second));
  const quota = Math.max(burst_requests, Math.floor(requests_per_second * window_seconds));
  const items = [`"rate";q=${quota};w=${window_seconds}`];
  if (requests_per_day_max !== null) items.push(`"day";q=${requests_per_day_max};w=${DAY_SECONDS}`);
  return items.join(", ");
}
