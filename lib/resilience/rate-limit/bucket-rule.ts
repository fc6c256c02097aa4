/** How much one tenant may ask of one route. */
export interface BucketRule {
  requests_per_second: number;
  burst_requests: number;
  /** In one UTC day; null: any number. */
  requests_per_day_max: number | null;
  /** Items the bucket is divided over. */
  shards: number;
}

/** One shard's part of a rule, in the terms the item is kept in. */
export interface ShardRule {
  /** Time in which one request's worth comes back. */
  interval_us: number;
  burst: number;
  day_max: number | null;
}

/** A shard's part: rate evenly, burst and day in whole requests with what is left over on the first ones. */
export function shardRule(rule: BucketRule, shard: number): ShardRule {
  const { shards } = rule;
  const part = (whole: number) => Math.floor(whole / shards) + (shard < whole % shards ? 1 : 0);
  return {
    interval_us: Math.ceil((1_000_000 * shards) / rule.requests_per_second),
    burst: part(rule.burst_requests),
    day_max: rule.requests_per_day_max === null ? null : part(rule.requests_per_day_max),
  };
}
