/*
 * The arithmetic of a token bucket in the table, by the generic cell rate algorithm (ITU-T I.371). An environment
 * takes several requests out of the bucket at once, an allotment, and spends them in memory. Nothing here does I/O.
 * Times are in µs, because a fast bucket has an interval of less than a ms.
 */

/** Which bucket. */
export interface BucketKey {
  tenant: string;
  /** As in `GET /api/tasks/{id}`. */
  route: string;
}

/** How much one tenant may ask of one route. */
export interface BucketRule {
  requests_per_second: number;
  burst_requests: number;
  /** In one UTC day; null: any number. */
  requests_per_day_max: number | null;
  /** Number of items that the bucket is divided over. */
  shards: number;
}

/** A shard of a bucket, as the table keeps it. */
export interface BucketItem {
  /** The "theoretical arrival time": when the bucket is full again. Its distance from now is the debt. */
  arrival_us: number;
  /** The interval that the debt was made with: when the rate changes, the debt is converted. */
  interval_us: number;
  /** As in `2026-11-22`, in UTC. */
  day_utc: string;
  /** Requests taken on that day. */
  day_taken: number;
  /** By the writer's clock. */
  written_us: number;
}

/** One shard's part of a rule, in the terms of its item. */
export interface ShardRule {
  /** The time after which one more request may pass. */
  interval_us: number;
  burst: number;
  day_max: number | null;
}

export interface AllotmentRequest {
  now_us: number;
  /** Requests that wait now: the allotment has as many if the bucket has. */
  needed: number;
  /** Requests that would be useful, of what others do not need. */
  wished: number;
  /** Left of an earlier allotment of this day that has expired. */
  unspent: { day_utc: string; count: number };
  /**
   * The bucket was empty and has not filled since. An environment then waits for an allotment that is worth a write
   * and takes it whole; otherwise it leaves half of what there is to others.
   */
  scarce: boolean;
}

/** One conditional write: it succeeds if the item is still as it was read, or leaves enough room. */
export interface AllotmentWrite {
  /** `absent`: no item. `drained`: some debt. `full`: no debt. `recount`: exactly the item that was read. */
  when: "absent" | "drained" | "full" | "recount";
  seen: BucketItem | undefined;
  /** The latest arrival of a drained item, and the most of the day (null: any), for the allotment to fit. */
  arrival_us_max: number;
  day_taken_max: number | null;
  /** Added to a drained item's arrival. */
  cost_us: number;
  /** Added to the day's count; negative when more is given back than taken. */
  day_change: number;
  /** The item after the write, if it is as it was read. */
  next: BucketItem;
}

export type AllotmentPlan =
  /** A count of 0 only converts the item to a new rate: it is planned again after that. */
  | { kind: "take"; count: number; write: AllotmentWrite; scarce: boolean }
  | { kind: "none"; reason: "rate" | "day"; until_us: number };

/** A debt larger than a whole burst by more than this was written by a clock that is wrong. */
const SKEW_US_MAX = 60_000_000;
const DAY_US = 86_400_000_000;

/** The UTC day, as an item has it. */
export function dayOf(now_us: number): string {
  return new Date(Math.floor(now_us / 1000)).toISOString().slice(0, 10);
}

/** When the day after `day_utc` begins. */
export function dayEnd(day_utc: string): number {
  return Date.parse(`${day_utc}T00:00:00Z`) * 1000 + DAY_US;
}

/** A shard's part: the rate evenly, burst and day in whole requests; the first shards get what is left over. */
export function shardRule(rule: BucketRule, shard: number): ShardRule {
  const { shards } = rule;
  const part = (whole: number) => Math.floor(whole / shards) + (shard < whole % shards ? 1 : 0);
  return {
    interval_us: Math.ceil((1_000_000 * shards) / rule.requests_per_second),
    burst: part(rule.burst_requests),
    day_max: rule.requests_per_day_max === null ? null : part(rule.requests_per_day_max),
  };
}

/** How many requests a shard gives now, and the write that takes them; or when it gives some again. */
export function planAllotment(
  item: BucketItem | undefined,
  rule: ShardRule,
  request: AllotmentRequest,
): AllotmentPlan {
  const { now_us, needed, unspent } = request;
  const { base_us, when } = debtOf(item, rule, now_us);
  const today = dayOf(now_us);
  const day_utc = item && item.day_utc > today ? item.day_utc : today;
  const same_day = item?.day_utc === day_utc;
  const given_back = same_day && unspent.day_utc === day_utc ? Math.min(unspent.count, item.day_taken) : 0;
  const taken = same_day ? item.day_taken - given_back : 0;
  const day_room = rule.day_max === null ? Number.POSITIVE_INFINITY : rule.day_max - taken;
  if (day_room < 1) return { kind: "none", reason: "day", until_us: dayEnd(day_utc) };

  const ceiling_us = now_us + rule.burst * rule.interval_us;
  const rate_room = Math.floor((ceiling_us - base_us) / rule.interval_us);
  const room = Math.min(rate_room, day_room);
  const enough = worthwhile(rule, request.wished);
  // Without room, the debt is still converted: else it would be paid back at the old rate.
  const recount_only = when === "recount" && rate_room < 1;
  if (!recount_only && room < (request.scarce ? Math.min(enough, day_room) : 1)) {
    const until_us = now_us + base_us + enough * rule.interval_us - ceiling_us;
    return { kind: "none", reason: "rate", until_us };
  }
  const spare = request.scarce ? room : Math.floor(room / 2);
  const count = recount_only ? 0 : Math.min(room, Math.max(needed, Math.min(request.wished, spare), 1));
  const cost_us = count * rule.interval_us;
  const day_change = count - given_back;
  const write: AllotmentWrite = {
    when,
    seen: item,
    arrival_us_max: ceiling_us - cost_us,
    day_taken_max: rule.day_max === null ? null : rule.day_max - day_change,
    cost_us,
    day_change,
    next: {
      arrival_us: base_us + cost_us,
      interval_us: rule.interval_us,
      day_utc,
      day_taken: taken + count,
      written_us: now_us,
    },
  };
  return { kind: "take", count, write, scarce: request.scarce && rate_room - count < rule.burst / 2 };
}

/** The end of the debt, and what the item must be for that to be right. */
function debtOf(
  item: BucketItem | undefined,
  { interval_us, burst }: ShardRule,
  now_us: number,
): { base_us: number; when: AllotmentWrite["when"] } {
  if (!item) return { base_us: now_us, when: "absent" };
  const ahead_us = item.arrival_us - now_us;
  if (item.interval_us !== interval_us) {
    const debt = Math.min(burst, Math.max(0, ahead_us / item.interval_us));
    return { base_us: now_us + Math.round(debt * interval_us), when: "recount" };
  }
  if (ahead_us > Math.max(burst * interval_us, item.arrival_us - item.written_us) + SKEW_US_MAX) {
    return { base_us: now_us, when: "recount" };
  }
  return ahead_us < 0 ? { base_us: now_us, when: "full" } : { base_us: item.arrival_us, when: "drained" };
}

/** How many requests to wait for: those wished, but no more than come back within a second. */
function worthwhile({ interval_us, burst }: ShardRule, wished: number): number {
  return Math.max(1, Math.min(wished, burst, Math.floor(1_000_000 / interval_us)));
}
