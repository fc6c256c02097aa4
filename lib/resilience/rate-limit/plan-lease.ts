import { type BucketItem, dayEnd, dayOf } from "#lib/resilience/rate-limit/bucket-item.ts";
import type { ShardRule } from "#lib/resilience/rate-limit/bucket-rule.ts";

export interface LeaseRequest {
  now_us: number;
  /** What is being waited for now: as many as there are, if there are fewer. */
  needed: number;
  /** What would be good to have, of what is not needed by others. */
  wished: number;
  /** Of an earlier lease, taken on this day and never used. */
  unspent: { day_utc: string; count: number };
  /**
   * The bucket was empty and has not filled since: better wait for a lease that is worth a write, and
   * take it whole. Otherwise half of what there is stays for other environments.
   */
  scarce: boolean;
}

/** One conditional write: it takes if the item is still as it was seen, or as good. */
export interface LeaseWrite {
  /** `absent`: there is no item. `drained`: debt is left. `full`: none is. `recount`: exactly as seen. */
  when: "absent" | "drained" | "full" | "recount";
  seen: BucketItem | undefined;
  /** Where a drained item may stand for the lease to fit. */
  arrival_us_max: number;
  /** And how much of the day may be gone; null: any number. */
  day_taken_max: number | null;
  /** Added to a drained item's arrival. */
  cost_us: number;
  /** Added to the day's count; below zero when more comes back than is taken. */
  day_change: number;
  /** The item if it is as it was seen. */
  next: BucketItem;
}

export type LeasePlan =
  /** A count of 0 only brings the item up to date: to be planned again. */
  | { kind: "take"; count: number; write: LeaseWrite; scarce: boolean }
  | { kind: "none"; reason: "rate" | "day"; until_us: number };

/** An arrival further ahead than a full debt and this comes from a clock that is wrong. */
const SKEW_US_MAX = 60_000_000;

/** How many requests a bucket can give now, and the write that takes them; or when it can again. */
export function planLease(item: BucketItem | undefined, rule: ShardRule, request: LeaseRequest): LeasePlan {
  const { now_us, needed, unspent } = request;
  const { base_us, when } = standing(item, rule, now_us);
  const today = dayOf(now_us);
  const day_utc = item && item.day_utc > today ? item.day_utc : today;
  const same_day = item?.day_utc === day_utc;
  const back = same_day && unspent.day_utc === day_utc ? Math.min(unspent.count, item.day_taken) : 0;
  const taken = same_day ? item.day_taken - back : 0;
  const day_room = rule.day_max === null ? Number.POSITIVE_INFINITY : rule.day_max - taken;
  if (day_room < 1) return { kind: "none", reason: "day", until_us: dayEnd(day_utc) };

  const ceiling_us = now_us + rule.burst * rule.interval_us;
  const rate_room = Math.floor((ceiling_us - base_us) / rule.interval_us);
  const room = Math.min(rate_room, day_room);
  const enough = worthwhile(rule, request.wished);
  const recount_only = when === "recount" && rate_room < 1; // or the old debt would go on at the old pace
  if (!recount_only && room < (request.scarce ? Math.min(enough, day_room) : 1)) {
    return {
      kind: "none",
      reason: "rate",
      until_us: now_us + base_us + enough * rule.interval_us - ceiling_us,
    };
  }
  const spare = request.scarce ? room : Math.floor(room / 2);
  const count = recount_only ? 0 : Math.min(room, Math.max(needed, Math.min(request.wished, spare), 1));
  const cost_us = count * rule.interval_us;
  const day_change = count - back;
  const write: LeaseWrite = {
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

/** From where on the next requests count, and what the item must be for that to be so. */
function standing(
  item: BucketItem | undefined,
  { interval_us, burst }: ShardRule,
  now_us: number,
): { base_us: number; when: LeaseWrite["when"] } {
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

/** How many requests to wait for: a lease's worth, but no longer than a second. */
function worthwhile({ interval_us, burst }: ShardRule, wished: number): number {
  return Math.max(1, Math.min(wished, burst, Math.floor(1_000_000 / interval_us)));
}
