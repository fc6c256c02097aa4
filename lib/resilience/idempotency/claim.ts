import { TerminalFault } from "#lib/platform/errors/fault.ts";
import { LeaseLost } from "#lib/platform/lease/lease-lost.ts";
import type { Runtime } from "#lib/platform/runtime/runtime.ts";
import { assignments } from "#lib/platform/table/expressions.ts";
import type { Item, Key } from "#lib/platform/table/keys.ts";
import {
  type Condition,
  getItem,
  type TablePorts,
  type Update,
  updateIf,
} from "#lib/platform/table/operations.ts";

/*
 * The idempotency rule. The item is the work's record, and each of these is one conditional write to it:
 *
 *   claim      when there is no item, or it is waiting and due, or its lease has ended, and attempts are left
 *              → running, with a new owner, a higher fencing token and a lease
 *   renew      when owner and fencing token are the caller's → the lease ends later
 *   complete   when owner and fencing token are the caller's → ended, with the outcome
 *   release    when owner and fencing token are the caller's → waiting until its next attempt
 *
 * So of any number of workers one has the work, and a worker that lost its lease changes nothing. `claimItem` is
 * the first, `writeAsOwner` the others. run-once.ts uses them for any handler, step-claims.ts for steps.
 */

export interface ClaimPorts extends TablePorts {
  runtime: Runtime;
}

/** Proof of a claim, which every later write is conditional on. */
export interface ClaimToken {
  /** Unique to the claim, so that a write whose answer was lost is recognised as the caller's. */
  owner: string;
  /** Fencing token: grows with every claim (Kleppmann, "How to do distributed locking", 2016). */
  fence: number;
  /** Number of the attempt, from 1. */
  attempt: number;
}

/** The fields of every record that can be claimed. A status other than `running` and `waiting` means ended. */
export interface ClaimedRecord {
  status: string;
  /** Of what decides the result. A claim with another one is refused. */
  source_hash: string;
  owner: string;
  fence: number;
  attempts: number;
  /** Unix time in ms. */
  lease_expires_at: number;
  /** Unix time in ms before which a waiting record is not claimed. */
  retry_at?: number | undefined;
}

/** An item of the table that can be claimed, and how it is read. */
export interface ClaimedItem<Claimed extends ClaimedRecord> {
  key: Key;
  /** For messages, as in `step codegen`. */
  name: string;
  parse(item: Item): Claimed;
}

export interface ItemRequest<Claimed extends ClaimedRecord> {
  item: ClaimedItem<Claimed>;
  /** Written by the first claim; later claims leave them as they are. */
  fields: Item & { source_hash: string };
  /** Assignments that every claim makes besides, for example to a history. */
  also?: { update: string; values: Item };
  owner: string;
  lease_ms: number;
  attempts_max: number;
  /** Which record counts as absent, and which of its fields a new claim removes. Its fencing token still grows. */
  stale?: { is(record: Claimed, now_ms: number): boolean; cleared: string[] };
}

export type ItemClaim<Claimed extends ClaimedRecord> =
  | { kind: "claimed"; token: ClaimToken; record: Claimed }
  /** The work has ended. */
  | { kind: "ended"; record: Claimed }
  /** Another lease, or a wait for the next attempt, lasts until then (Unix time in ms). */
  | { kind: "wait"; until_ms: number; record?: Claimed }
  /** No attempts are left, and no lease lasts. */
  | { kind: "exhausted"; record: Claimed };

const RACES_MAX = 3;
const RACE_WAIT_MS = 1000;

/** @throws TerminalFault `IDEMPOTENCY_MISMATCH` when the item was claimed for another source hash */
export async function claimItem<Claimed extends ClaimedRecord>(
  request: ItemRequest<Claimed>,
  ports: ClaimPorts,
): Promise<ItemClaim<Claimed>> {
  const { item, owner, stale } = request;
  for (let races = 0; races < RACES_MAX; races += 1) {
    const now = ports.runtime.now();
    let record = (await writeItem(item, claimWrite(request, now), ports)) ?? (await readItem(item, ports));
    if (record && record.owner !== owner && stale?.is(record, now)) {
      record = await writeItem(item, staleClaimWrite(request, record, now), ports);
    }
    const claim = record && classify(record, request, ports.runtime.now());
    if (claim) return claim;
  }
  return { kind: "wait", until_ms: ports.runtime.now() + RACE_WAIT_MS };
}

function claimWrite<Claimed extends ClaimedRecord>(
  request: ItemRequest<Claimed>,
  now: number,
): Update & Condition {
  const { values, expression } = assignments(request.fields, "if absent");
  const { also, owner, lease_ms, attempts_max } = request;
  return {
    update: `SET ${expression}, #status = :running, #owner = :owner,
      fence = if_not_exists(fence, :zero) + :one, attempts = if_not_exists(attempts, :zero) + :one,
      lease_expires_at = :lease_expires_at${also ? `, ${also.update}` : ""} REMOVE retry_at`,
    // AND binds tighter than OR. The embedded DynamoDB takes 5 ms for parentheses that say the same.
    condition: `attribute_not_exists(pk) OR #source_hash = :source_hash AND attempts < :attempts_max AND
      (#status = :waiting AND retry_at <= :now OR #status = :running AND lease_expires_at < :now)`,
    values: {
      ...values,
      ...also?.values,
      running: "running",
      waiting: "waiting",
      owner,
      zero: 0,
      one: 1,
      now,
      attempts_max,
      lease_expires_at: now + lease_ms,
    },
  };
}

/** Claims a stale record anew, on condition that nobody has changed it since it was read. */
function staleClaimWrite<Claimed extends ClaimedRecord>(
  { fields, also, owner, lease_ms, stale }: ItemRequest<Claimed>,
  seen: Claimed,
  now: number,
): Update & Condition {
  const { values, expression } = assignments(fields);
  const cleared = ["retry_at", ...(stale?.cleared ?? [])];
  return {
    update: `SET ${expression}, #status = :running, #owner = :owner, fence = fence + :one, attempts = :one,
      lease_expires_at = :lease_expires_at${also ? `, ${also.update}` : ""}
      REMOVE ${cleared.join(", ")}`,
    condition: "fence = :fence AND #status = :status AND lease_expires_at = :seen_lease",
    values: {
      ...values,
      ...also?.values,
      running: "running",
      owner,
      one: 1,
      lease_expires_at: now + lease_ms,
      fence: seen.fence,
      status: seen.status,
      seen_lease: seen.lease_expires_at,
    },
  };
}

/** What the record means for this claim; undefined when it has become free in the meantime. */
function classify<Claimed extends ClaimedRecord>(
  record: Claimed,
  { item, fields, owner, attempts_max }: ItemRequest<Claimed>,
  now: number,
): ItemClaim<Claimed> | undefined {
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

/**
 * A write that only the holder of the claim makes. When it is refused, the record is read again: `took` tells a
 * lost lease from a write of ours that the SDK sent twice because its answer was lost.
 *
 * @throws LeaseLost `LEASE_LOST`
 */
export async function writeAsOwner<Claimed extends ClaimedRecord>(
  item: ClaimedItem<Claimed>,
  token: ClaimToken,
  write: Update,
  took: (record: Claimed) => boolean,
  ports: ClaimPorts,
): Promise<void> {
  const { owner, fence } = token;
  const owned = {
    ...write,
    condition: "#owner = :owner AND fence = :fence AND #status = :running",
    values: { ...write.values, owner, fence, running: "running" },
  };
  if (await updateIf(item.key, owned, ports)) return;
  const record = await readItem(item, ports);
  if (!(record && isHeld(record, token) && took(record))) throw new LeaseLost(item.name);
}

/** Whether the record still has the owner and the fencing token of the claim. */
export function isHeld(record: ClaimedRecord | undefined, token: ClaimToken): boolean {
  return record?.owner === token.owner && record.fence === token.fence;
}

/** The record as written, or undefined when the condition did not hold. */
export async function writeItem<Claimed extends ClaimedRecord>(
  { key, parse }: ClaimedItem<Claimed>,
  write: Update & Condition,
  ports: ClaimPorts,
): Promise<Claimed | undefined> {
  const written = await updateIf(key, { ...write, returns: "ALL_NEW" }, ports);
  return written && parse(written);
}

export async function readItem<Claimed extends ClaimedRecord>(
  { key, parse }: ClaimedItem<Claimed>,
  ports: ClaimPorts,
): Promise<Claimed | undefined> {
  const found = await getItem(key, ports);
  return found && parse(found);
}
