import type { BucketItem, BucketKey } from "#lib/resilience/rate-limit/bucket-item.ts";
import type { ShardRule } from "#lib/resilience/rate-limit/bucket-rule.ts";
import type { BucketTable } from "#lib/resilience/rate-limit/bucket-table.ts";
import type { TellCost } from "#lib/resilience/rate-limit/decision.ts";
import { type LeasePlan, type LeaseRequest, planLease } from "#lib/resilience/rate-limit/plan-lease.ts";
import type { SharedClock } from "#lib/resilience/rate-limit/shared-clock.ts";

const TRIES_MAX = 4;

export interface ShardPorts {
  table: BucketTable;
  clock: SharedClock;
  tell: TellCost;
}

export type ShardLease =
  /** `alone`: nobody else wrote the item since it was last seen. */
  | { kind: "taken"; count: number; item: BucketItem; alone: boolean; scarce: boolean }
  | (Extract<LeasePlan, { kind: "none" }> & { item: BucketItem | undefined });

/**
 * Takes requests out of one shard: planned on what was last seen of the item, and on a new look when
 * that no longer holds. A refusal always rests on a new look. Throws when others are always faster.
 */
export async function leaseFromShard(
  place: { key: BucketKey; shard: number; rule: ShardRule; known: BucketItem | undefined },
  request: Omit<LeaseRequest, "now_us">,
  { table, clock, tell }: ShardPorts,
): Promise<ShardLease> {
  const { key, shard, rule } = place;
  let item = place.known;
  let looked = false;
  for (let tries = 0; tries < TRIES_MAX; tries += 1) {
    if (!item && !looked) {
      tell("rate_limit_reads");
      item = await table.read(key, shard);
      if (item) clock.saw(item.written_us);
      looked = true;
    }
    const plan = planLease(item, rule, { ...request, now_us: clock.now_us() });
    if (plan.kind === "none" && looked) return { ...plan, item };
    if (plan.kind === "take") {
      tell("rate_limit_writes");
      const written = await table.write(key, shard, plan.write);
      if (written) {
        clock.saw(written.written_before_us);
        const { count, scarce } = plan;
        if (count === 0) {
          item = written.item;
          looked = true;
          continue;
        }
        const alone = !item || written.written_before_us === item.written_us;
        return { kind: "taken", count, item: written.item, alone, scarce };
      }
    }
    item = undefined;
    looked = false;
  }
  throw new Error(`bucket ${key.tenant} ${key.route} changed under ${TRIES_MAX} tries`);
}
