import { instant } from "#lib/platform/runtime/runtime.ts";
import { STEP } from "#lib/platform/table/items.ts";
import { type Item, listingAttributes, listingOf } from "#lib/platform/table/keys.ts";
import type { ClaimedItem } from "#lib/resilience/idempotency/claimed-item.ts";
import type { ClaimKey } from "#lib/resilience/idempotency/claims.ts";
import { stepItem } from "#lib/resilience/idempotency/step-item.ts";
import type { StepRecord } from "#schemas/records/step.ts";

/** Fields that a write sets, and those it takes away. */
export interface Listing {
  set: Item;
  remove: readonly string[];
}

/** Where records of one kind are kept, and what lists them: part of the very write that moves them. */
export interface StepPlace {
  item(key: ClaimKey): ClaimedItem<StepRecord>;
  ended(key: ClaimKey, now_ms: number): Listing;
  rearmed(key: ClaimKey, now_ms: number): Listing;
}

/** A task's own steps: one that ends enters its artifacts into the tenant's index. */
export const ledgerSteps: StepPlace = {
  item: stepItem,
  ended: (key, now_ms) => ({
    set: listingOf(STEP, "by_tenant", { ...key, completed_at: instant(now_ms) }),
    remove: [],
  }),
  rearmed: () => ({ set: {}, remove: listingAttributes("by_tenant") }),
};

/** The listing as parts of an update: `, a = :a` for its SET and `, b` for its REMOVE. */
export function listingUpdate({ set, remove }: Listing): {
  sets: string;
  removes: readonly string[];
  values: Item;
} {
  return {
    sets: Object.keys(set)
      .map((name) => `, ${name} = :${name}`)
      .join(""),
    removes: remove,
    values: set,
  };
}
