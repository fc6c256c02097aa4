import { describe, expect, it } from "vitest";
import { rateLimitHeaders } from "#lib/resilience/rate-limit/rate-limit-headers.ts";

const rule = { requests_per_second: 20, burst_requests: 40, requests_per_day_max: null, shards: 1 };

describe("rate limit headers", () => {
  it("give the bucket as a quota in the time it takes to fill, and what is left of it", () => {
    expect(rateLimitHeaders(rule, { kind: "admitted", remaining: 12 })).toEqual({
      "ratelimit-policy": '"rate";q=40;w=2',
      ratelimit: '"rate";r=12;t=1',
    });
  });

  it("never promise less than comes back within a second, nor a window of less", () => {
    const fast = { ...rule, requests_per_second: 100 };
    expect(rateLimitHeaders(fast, { kind: "unknown" })).toEqual({ "ratelimit-policy": '"rate";q=100;w=1' });
    const slow = { ...rule, requests_per_second: 0.1, burst_requests: 2 };
    expect(rateLimitHeaders(slow, { kind: "admitted", remaining: 1 })).toEqual({
      "ratelimit-policy": '"rate";q=2;w=20',
      ratelimit: '"rate";r=1;t=10',
    });
  });

  it("give the day beside it", () => {
    const daily = { ...rule, requests_per_day_max: 1000 };
    const day = { remaining: 7, reset_seconds: 3600 };
    expect(rateLimitHeaders(daily, { kind: "admitted", remaining: 5, day })).toEqual({
      "ratelimit-policy": '"rate";q=40;w=2, "day";q=1000;w=86400',
      ratelimit: '"rate";r=5;t=1, "day";r=7;t=3600',
    });
  });

  it("say on a refusal which limit it was and when to come back, both alike", () => {
    const refused = { kind: "refused", reason: "day", retry_after_seconds: 99 } as const;
    expect(rateLimitHeaders(rule, refused)).toMatchObject({
      ratelimit: '"day";r=0;t=99',
      "retry-after": "99",
    });
  });
});
