import { type BucketItem, type BucketKey, dayEnd, dayOf } from "#lib/resilience/rate-limit/bucket-item.ts";
import { type BucketRule, shardRule } from "#lib/resilience/rate-limit/bucket-rule.ts";
import type { Decision } from "#lib/resilience/rate-limit/decision.ts";
import { type LeaseSize, leaseSize } from "#lib/resilience/rate-limit/lease-size.ts";
import { leaseFromShard, type ShardLease, type ShardPorts } from "#lib/resilience/rate-limit/shard-lease.ts";

/** What is not used by then is the table's again: it has come back there meanwhile. */
const LEASE_US = 10_000_000;
/** For a lease of a second's worth at most: spent late, it adds no more than that to any span. */
const SMALL_LEASE_US = 60_000_000;
/** After a failure the table is left alone for so long. */
const OUTAGE_US = 1_000_000;
const ROUNDS_MAX = 16;

/**
 * One environment's hold on one bucket: requests it has leased, what it last saw of the item, until
 * when it need not ask. Those who come at once wait for one and the same write.
 */
export class Bucket {
  readonly #key: BucketKey;
  readonly #rule: BucketRule;
  readonly #size: LeaseSize;
  #shard: number;
  #tokens = 0;
  #lease = { day_utc: "", expires_us: 0 };
  #item: BucketItem | undefined;
  /** No other environment has written the item lately: it need not be read before it is written. */
  #alone = false;
  #scarce = false;
  #unspent = { day_utc: "", count: 0 };
  #refused: { reason: "rate" | "day"; until_us: number } | undefined;
  #unknown_until_us = 0;
  #asking: Promise<void> | undefined;
  #waiting = 0;

  /** `start`: uniform in [0, 1), spreads environments over the shards. */
  constructor(key: BucketKey, rule: BucketRule, start: { now_us: number; random: number }) {
    this.#key = key;
    this.#rule = rule;
    this.#shard = Math.floor(start.random * rule.shards);
    this.#size = leaseSize(start.now_us);
  }

  /** Whether it was made for this very rule. */
  follows(rule: BucketRule): boolean {
    const own = this.#rule;
    return (Object.keys(rule) as (keyof BucketRule)[]).every((name) => own[name] === rule[name]);
  }

  async take(ports: ShardPorts): Promise<Decision> {
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

  #decide(now_us: number): Decision | undefined {
    if (now_us >= this.#lease.expires_us) this.#giveBack();
    if (this.#tokens > 0) {
      this.#tokens -= 1;
      return { kind: "admitted", ...this.#remaining(now_us) };
    }
    if (now_us < this.#unknown_until_us) return { kind: "unknown" };
    if (!this.#refused || now_us >= this.#refused.until_us) return undefined;
    const { reason, until_us } = this.#refused;
    return { kind: "refused", reason, retry_after_seconds: seconds(until_us - now_us) };
  }

  #giveBack(): void {
    if (this.#tokens > 0) this.#unspent = { day_utc: this.#lease.day_utc, count: this.#tokens };
    this.#tokens = 0;
  }

  /** One lease, from the first shard that has something. Never throws. */
  async #ask(ports: ShardPorts): Promise<void> {
    const now_us = ports.clock.now_us();
    const request = {
      needed: 1,
      wished: this.#size.next(
        now_us,
        Math.floor(this.#rule.burst_requests / this.#rule.shards),
        this.#scarce,
      ),
      unspent: this.#unspent,
      scarce: this.#scarce,
    };
    const none: Extract<ShardLease, { kind: "none" }>[] = [];
    try {
      for (let tries = 0; tries < this.#rule.shards; tries += 1) {
        const place = { key: this.#key, shard: this.#shard, rule: shardRule(this.#rule, this.#shard) };
        // A read costs a fifth of a write, and one that others have made void is a write too.
        const known = this.#alone ? this.#item : undefined;
        request.needed = Math.max(1, this.#waiting);
        const lease = await leaseFromShard({ ...place, known }, request, ports);
        this.#item = lease.item;
        if (lease.kind === "taken") return this.#hold(lease, ports.clock.now_us());
        none.push(lease);
        this.#moveOn();
        request.unspent = this.#unspent;
      }
      const first = none.reduce((soonest, each) => (each.until_us < soonest.until_us ? each : soonest));
      this.#refused = { reason: first.reason, until_us: first.until_us };
      this.#scarce = true;
      this.#alone = false;
    } catch (error) {
      ports.tell("rate_limit_outages", error);
      this.#item = undefined;
      this.#unknown_until_us = ports.clock.now_us() + OUTAGE_US;
    }
  }

  #hold({ count, alone, scarce }: Extract<ShardLease, { kind: "taken" }>, now_us: number): void {
    this.#tokens = count;
    this.#alone = alone;
    this.#scarce = scarce;
    const small = count <= this.#rule.requests_per_second;
    const expires_us = now_us + (small ? SMALL_LEASE_US : LEASE_US);
    this.#lease = { day_utc: this.#item?.day_utc ?? "", expires_us };
    this.#unspent = { day_utc: "", count: 0 };
    this.#refused = undefined;
    this.#unknown_until_us = 0;
  }

  #moveOn(): void {
    if (this.#rule.shards === 1) return;
    this.#shard = (this.#shard + 1) % this.#rule.shards;
    this.#item = undefined;
    this.#unspent = { day_utc: "", count: 0 }; // it was another shard's
  }

  #remaining(now_us: number): { remaining: number; day?: { remaining: number; reset_seconds: number } } {
    const { interval_us, burst, day_max } = shardRule(this.#rule, this.#shard);
    const item = this.#item;
    const ahead_us = Math.max(0, (item?.arrival_us ?? 0) - now_us);
    const remaining = this.#tokens + Math.max(0, Math.floor(burst - ahead_us / interval_us));
    if (day_max === null) return { remaining };
    const day_utc = item?.day_utc ?? dayOf(now_us);
    const day_remaining = Math.max(0, this.#tokens + day_max - (item?.day_taken ?? 0));
    const day = { remaining: day_remaining, reset_seconds: seconds(dayEnd(day_utc) - now_us) };
    return { remaining: Math.min(remaining, day_remaining), day };
  }
}

function seconds(microseconds: number): number {
  return Math.max(1, Math.ceil(microseconds / 1_000_000));
}
