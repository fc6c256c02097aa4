import { TerminalFault } from "#lib/platform/errors/fault.ts";
import { assignments } from "#lib/platform/table/expressions.ts";
import type { Condition, Update } from "#lib/platform/table/operations.ts";
import {
  type ClaimedItem,
  type ClaimedRecord,
  type ClaimPorts,
  readItem,
  type Token,
  writeItem,
} from "#lib/resilience/idempotency/claimed-item.ts";

/** Who wants an item, for how long, and what the claim writes of it. */
export interface ItemRequest<Item extends ClaimedRecord> {
  item: ClaimedItem<Item>;
  /** Written by the first claim, with `source_hash` among them; later claims leave them. */
  fields: Record<string, unknown> & { source_hash: string };
  /** Further assignments of every claim, for example of a history. */
  also?: { update: string; values: Record<string, unknown> };
  /** Unique to this claim, so that a write whose answer was lost is recognised as ours. */
  owner: string;
  lease_ms: number;
  attempts_max: number;
  /** A record that counts as if it were not there: the claim starts it anew, its fence still growing. */
  stale?: { is(record: Item, now_ms: number): boolean; cleared: string[] };
}

export type ItemClaim<Item extends ClaimedRecord> =
  | { kind: "claimed"; token: Token; record: Item }
  /** Neither running nor waiting any more. */
  | { kind: "ended"; record: Item }
  /** Somebody else's lease lives, or a back-off is running, until then (Unix time in ms). */
  | { kind: "wait"; until_ms: number; record?: Item }
  /** Attempts are spent and nobody holds the lease. */
  | { kind: "exhausted"; record: Item };

const RACES_MAX = 3;
const RACE_WAIT_MS = 1000;

/**
 * The claim: one conditional write that takes when the item is new, or free again and not spent.
 * @throws TerminalFault `IDEMPOTENCY_MISMATCH` when the item was claimed for another source hash
 */
export async function claimItem<Item extends ClaimedRecord>(
  request: ItemRequest<Item>,
  ports: ClaimPorts,
): Promise<ItemClaim<Item>> {
  for (let races = 0; races < RACES_MAX; races += 1) {
    const now = ports.runtime.now();
    let record =
      (await writeItem(request.item, claimWrite(request, now), ports)) ??
      (await readItem(request.item, ports));
    if (record && record.owner !== request.owner && request.stale?.is(record, now)) {
      record = await writeItem(request.item, renewalWrite(request, record, now), ports);
    }
    const claim = record && classify(record, request, ports.runtime.now());
    if (claim) return claim;
  }
  return { kind: "wait", until_ms: ports.runtime.now() + RACE_WAIT_MS };
}

function claimWrite<Item extends ClaimedRecord>(request: ItemRequest<Item>, now: number): Update & Condition {
  const { values, expression } = assignments(request.fields);
  return {
    update: `SET ${expression}, #status = :running, #owner = :owner,
      fence = if_not_exists(fence, :zero) + :one, attempts = if_not_exists(attempts, :zero) + :one,
      lease_expires_at = :lease_expires_at${request.also ? `, ${request.also.update}` : ""} REMOVE retry_at`,
    // No parentheses that AND before OR makes needless: the embedded DynamoDB takes 5 ms over them.
    condition: `attribute_not_exists(pk) OR #source_hash = :source_hash AND attempts < :attempts_max AND
      (#status = :waiting AND retry_at <= :now OR #status = :running AND lease_expires_at < :now)`,
    values: {
      ...values,
      ...request.also?.values,
      running: "running",
      waiting: "waiting",
      owner: request.owner,
      zero: 0,
      one: 1,
      now,
      attempts_max: request.attempts_max,
      lease_expires_at: now + request.lease_ms,
    },
  };
}

/** Starts a stale record anew, on condition that nobody moved it since it was read. */
function renewalWrite<Item extends ClaimedRecord>(
  request: ItemRequest<Item>,
  seen: Item,
  now: number,
): Update & Condition {
  const { values, expression } = assignments(request.fields, "always");
  const cleared = ["retry_at", ...(request.stale?.cleared ?? [])];
  return {
    update: `SET ${expression}, #status = :running, #owner = :owner, fence = fence + :one, attempts = :one,
      lease_expires_at = :lease_expires_at${request.also ? `, ${request.also.update}` : ""}
      REMOVE ${cleared.join(", ")}`,
    condition: "fence = :fence AND #status = :status AND lease_expires_at = :seen_lease",
    values: {
      ...values,
      ...request.also?.values,
      running: "running",
      owner: request.owner,
      one: 1,
      lease_expires_at: now + request.lease_ms,
      fence: seen.fence,
      status: seen.status,
      seen_lease: seen.lease_expires_at,
    },
  };
}

/** What the record means for this claim; undefined when it became free in the meantime: try again. */
function classify<Item extends ClaimedRecord>(
  record: Item,
  { item, fields, owner, attempts_max }: ItemRequest<Item>,
  now: number,
): ItemClaim<Item> | undefined {
  if (record.source_hash !== fields.source_hash) {
    throw new TerminalFault(
      "IDEMPOTENCY_MISMATCH",
      `${item.name} was claimed for another input; this one is refused`,
    );
  }
  if (record.status !== "running" && record.status !== "waiting") return { kind: "ended", record };
  if (record.status === "running" && record.owner === owner) {
    return { kind: "claimed", record, token: { owner, fence: record.fence, attempt: record.attempts } };
  }
  const until_ms = record.status === "waiting" ? (record.retry_at ?? 0) : record.lease_expires_at;
  if (until_ms >= now) return { kind: "wait", until_ms, record };
  return record.attempts >= attempts_max ? { kind: "exhausted", record } : undefined;
}
