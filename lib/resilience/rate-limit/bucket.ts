import {
  type AllotmentPlan,
  type AllotmentRequest,
  type BucketItem,
  type BucketKey,
  type BucketRule,
  dayEnd,
  dayOf,
  planAllotment,
  shardRule,
} from "#lib/resilience/rate-limit/bucket-plan.ts";
import type { BucketTable } from "#lib/resilience/rate-limit/bucket-table.ts";

/** What a rate limiter decides on one request. Times are whole seconds from now, at least 1. */
export type RateDecision =
  | {
      kind: "admitted";
      /** Requests that may follow at once, as far as this environment knows. */
      remaining: number;
      /** Left of the day; undefined without a daily limit. */
      day?: { remaining: number; reset_seconds: number };
    }
  | { kind: "refused"; reason: "rate" | "day"; retry_after_seconds: number }
  /** The table does not answer. */
  | { kind: "unknown" };

/** Counts each call to the table, and each failure of one with its reason. */
export type CountTableUse = (
  metric: "rate_limit_reads" | "rate_limit_writes" | "rate_limit_outages",
  reason?: unknown,
) => void;

export interface BucketPorts {
  table: BucketTable;
  clock: SharedClock;
  count: CountTableUse;
}

/** An allotment expires after this time: its requests have come back to the bucket in the table. */
const ALLOTMENT_US = 10_000_000;
/** One of no more than a second's rate may last longer: spent late, it adds no more than that to any span of time. */
const SMALL_ALLOTMENT_US = 60_000_000;
/** After a failure the table is not asked for this time. */
const OUTAGE_US = 1_000_000;
const ROUNDS_MAX = 16;
const TRIES_MAX = 4;

/**
 * One environment's view of one bucket: its allotment, the item as last read, and until when the table need not be
 * asked. Requests that come at the same time wait for the same write.
 */
export class Bucket {
  readonly #key: BucketKey;
  readonly #rule: BucketRule;
  readonly #size: AllotmentSize;
  #shard: number;
  /** Requests left of the allotment. */
  #left = 0;
  #allotment = { day_utc: "", expires_us: 0 };
  #item: BucketItem | undefined;
  /** No other environment has written the item lately: it need not be read before it is written. */
  #alone = false;
  #scarce = false;
  #unspent = { day_utc: "", count: 0 };
  #refused: { reason: "rate" | "day"; until_us: number } | undefined;
  #unknown_until_us = 0;
  #asking: Promise<void> | undefined;
  #waiting = 0;

  /** `random`, uniform in [0, 1), spreads the environments over the shards. */
  constructor(key: BucketKey, rule: BucketRule, { now_us, random }: { now_us: number; random: number }) {
    this.#key = key;
    this.#rule = rule;
    this.#shard = Math.floor(random * rule.shards);
    this.#size = new AllotmentSize(now_us);
  }

  /** Whether it was made for this rule. */
  follows(rule: BucketRule): boolean {
    const own = this.#rule;
    return (Object.keys(rule) as (keyof BucketRule)[]).every((name) => own[name] === rule[name]);
  }

  /** Takes one request out of the bucket. Never throws. */
  async take(ports: BucketPorts): Promise<RateDecision> {
    this.#size.arrived();
    for (let round = 0; round < ROUNDS_MAX; round += 1) {
      const decided = this.#decide(ports.clock.now_us());
      if (decided) return decided;
      this.#waiting += 1;
      this.#asking ??= this.#ask(ports).finally(() => {
        this.#asking = undefined;
      });
      await this.#asking;
      this.#waiting -= 1;
    }
    return { kind: "unknown" };
  }

  #decide(now_us: number): RateDecision | undefined {
    if (now_us >= this.#allotment.expires_us) this.#expire();
    if (this.#left > 0) {
      this.#left -= 1;
      return { kind: "admitted", ...this.#remaining(now_us) };
    }
    if (now_us < this.#unknown_until_us) return { kind: "unknown" };
    if (!this.#refused || now_us >= this.#refused.until_us) return undefined;
    const { reason, until_us } = this.#refused;
    return { kind: "refused", reason, retry_after_seconds: seconds(until_us - now_us) };
  }

  #expire(): void {
    if (this.#left > 0) this.#unspent = { day_utc: this.#allotment.day_utc, count: this.#left };
    this.#left = 0;
  }

  /** Asks for one allotment, of the first shard that has something left. Never throws. */
  async #ask(ports: BucketPorts): Promise<void> {
    const now_us = ports.clock.now_us();
    const burst = Math.floor(this.#rule.burst_requests / this.#rule.shards);
    const wished = this.#size.next(now_us, burst, this.#scarce);
    const refusals: Extract<AllotmentPlan, { kind: "none" }>[] = [];
    try {
      for (let tries = 0; tries < this.#rule.shards; tries += 1) {
        const request = {
          needed: Math.max(1, this.#waiting),
          wished,
          unspent: this.#unspent,
          scarce: this.#scarce,
        };
        const answer = await this.#takeFromShard(request, ports);
        if (answer === "taken") return;
        refusals.push(answer);
        this.#nextShard();
      }
      this.#refused = refusals.reduce((soonest, one) => (one.until_us < soonest.until_us ? one : soonest));
      this.#scarce = true;
      this.#alone = false;
    } catch (error) {
      ports.count("rate_limit_outages", error);
      this.#item = undefined;
      this.#unknown_until_us = ports.clock.now_us() + OUTAGE_US;
    }
  }

  /**
   * Plans on the item as last read, and reads it again when that is no longer right. A refusal always rests on a
   * read of its own. Throws when other environments are always faster.
   */
  async #takeFromShard(
    request: Omit<AllotmentRequest, "now_us">,
    { table, clock, count }: BucketPorts,
  ): Promise<"taken" | Extract<AllotmentPlan, { kind: "none" }>> {
    const [key, shard, rule] = [this.#key, this.#shard, shardRule(this.#rule, this.#shard)];
    // A read costs a fifth of a write, and a write that fails costs as much as one that succeeds.
    let item = this.#alone ? this.#item : undefined;
    let is_fresh = false;
    for (let tries = 0; tries < TRIES_MAX; tries += 1) {
      if (!item && !is_fresh) {
        count("rate_limit_reads");
        item = await table.read(key, shard);
        if (item) clock.saw(item.written_us);
        is_fresh = true;
      }
      const plan = planAllotment(item, rule, { ...request, now_us: clock.now_us() });
      if (plan.kind === "none" && is_fresh) {
        this.#item = item;
        return plan;
      }
      let written: Awaited<ReturnType<BucketTable["write"]>>;
      if (plan.kind === "take") {
        count("rate_limit_writes");
        written = await table.write(key, shard, plan.write);
      }
      if (written) clock.saw(written.written_before_us);
      if (written && plan.kind === "take" && plan.count > 0) {
        this.#alone = !item || written.written_before_us === item.written_us;
        this.#item = written.item;
        this.#hold(plan.count, plan.scarce, clock.now_us());
        return "taken";
      }
      item = written?.item;
      is_fresh = written !== undefined;
    }
    throw new Error(`bucket ${key.tenant} ${key.route} was changed by others ${TRIES_MAX} times in a row`);
  }

  #hold(count: number, scarce: boolean, now_us: number): void {
    this.#left = count;
    this.#scarce = scarce;
    const is_small = count <= this.#rule.requests_per_second;
    const expires_us = now_us + (is_small ? SMALL_ALLOTMENT_US : ALLOTMENT_US);
    this.#allotment = { day_utc: this.#item?.day_utc ?? "", expires_us };
    this.#unspent = { day_utc: "", count: 0 };
    this.#refused = undefined;
    this.#unknown_until_us = 0;
  }

  #nextShard(): void {
    if (this.#rule.shards === 1) return;
    this.#shard = (this.#shard + 1) % this.#rule.shards;
    this.#item = undefined;
    this.#unspent = { day_utc: "", count: 0 }; // it was another shard's
  }

  #remaining(now_us: number): { remaining: number; day?: { remaining: number; reset_seconds: number } } {
    const { interval_us, burst, day_max } = shardRule(this.#rule, this.#shard);
    const item = this.#item;
    const ahead_us = Math.max(0, (item?.arrival_us ?? 0) - now_us);
    const remaining = this.#left + Math.max(0, Math.floor(burst - ahead_us / interval_us));
    if (day_max === null) return { remaining };
    const day_utc = item?.day_utc ?? dayOf(now_us);
    const day_remaining = Math.max(0, this.#left + day_max - (item?.day_taken ?? 0));
    const day = { remaining: day_remaining, reset_seconds: seconds(dayEnd(day_utc) - now_us) };
    return { remaining: Math.min(remaining, day_remaining), day };
  }
}

function seconds(microseconds: number): number {
  return Math.max(1, Math.ceil(microseconds / 1_000_000));
}

/** An allotment that lasts this long is worth its write; a longer one takes from others what they need. */
const BUSY_SECONDS = 1;
/** Where few requests come, an allotment may last longer, so that a write still serves several of them. */
const QUIET_SECONDS = 40;
const QUIET_REQUESTS = 8;
const SCARCE_REQUESTS = 4;
/** Growth from one allotment to the next: a few requests more are soon worth it, many only if they keep coming. */
const QUIET_GROWTH = 4;
const BUSY_GROWTH = 2;
const RATE_SECONDS_MIN = 0.1;

/** How many requests to take at once, from the rate at which they arrive in this environment. */
class AllotmentSize {
  #arrivals = 0;
  #since_us: number;
  #last = 0.25;

  constructor(now_us: number) {
    this.#since_us = now_us;
  }

  arrived(): void {
    this.#arrivals += 1;
  }

  /** `scarce`: others wait for what this environment takes. Grows in steps, for a short burst is not a rate. */
  next(now_us: number, burst: number, scarce: boolean): number {
    const elapsed_seconds = Math.max(RATE_SECONDS_MIN, (now_us - this.#since_us) / 1_000_000);
    const rate = this.#arrivals / elapsed_seconds;
    const quiet = Math.min(scarce ? SCARCE_REQUESTS : QUIET_REQUESTS, rate * QUIET_SECONDS);
    const wanted = Math.max(rate * BUSY_SECONDS, quiet);
    const cap = Math.max(1, Math.floor(burst / 4));
    const grown = Math.max(Math.min(QUIET_REQUESTS, this.#last * QUIET_GROWTH), this.#last * BUSY_GROWTH);
    this.#last = Math.max(1, Math.min(Math.ceil(wanted), Math.ceil(grown), cap));
    this.#arrivals = 0;
    this.#since_us = now_us;
    return this.#last;
  }
}

/** A clock that is further ahead than this is wrong, and is not followed. */
const AHEAD_US_MAX = 60_000_000;

/**
 * The time that the environments agree on: this machine's clock, which never goes back, moved ahead to the latest
 * time seen in an item. So an environment whose clock is behind is not refused what others get.
 */
export class SharedClock {
  readonly #now: () => number;
  #ahead_us = 0;
  #latest_us = 0;

  /** @param now Unix time in ms */
  constructor(now: () => number) {
    this.#now = now;
  }

  now_us(): number {
    this.#latest_us = Math.max(this.#latest_us, Math.floor(this.#now() * 1000) + this.#ahead_us);
    return this.#latest_us;
  }

  /** Another environment's clock, at some moment before now. */
  saw(written_us: number): void {
    const ahead_us = written_us - Math.floor(this.#now() * 1000);
    if (ahead_us > this.#ahead_us && ahead_us <= AHEAD_US_MAX) this.#ahead_us = ahead_us;
  }
}
