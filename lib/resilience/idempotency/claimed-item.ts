import { LeaseLost } from "#lib/platform/lease/lease-lost.ts";
import type { Runtime } from "#lib/platform/runtime/runtime.ts";
import type { Item, Key } from "#lib/platform/table/keys.ts";
import {
  type Condition,
  getItem,
  type TablePorts,
  type Update,
  updateIf,
} from "#lib/platform/table/operations.ts";

export interface ClaimPorts extends TablePorts {
  runtime: Runtime;
}

/** Proof of a claim. Every later write is conditional on owner and fence, so whoever lost it changes nothing. */
export interface Token {
  owner: string;
  /** Fencing token: grows with every claim (Kleppmann, "How to do distributed locking", 2016). */
  fence: number;
  /** Which attempt this is, from 1. */
  attempt: number;
}

/** What every record that can be claimed has; any other status than these two is an ended one. */
export interface ClaimedRecord {
  status: string;
  source_hash: string;
  owner: string;
  fence: number;
  attempts: number;
  /** Unix time in ms. */
  lease_expires_at: number;
  /** Unix time in ms before which a waiting record is not claimed. */
  retry_at?: number | undefined;
}

/** One item of the table that is claimed, and how it is read. */
export interface ClaimedItem<Claimed extends ClaimedRecord> {
  key: Key;
  /** For messages, as in `step codegen`. */
  name: string;
  parse(item: Item): Claimed;
}

export async function readItem<Claimed extends ClaimedRecord>(
  { key, parse }: ClaimedItem<Claimed>,
  ports: ClaimPorts,
): Promise<Claimed | undefined> {
  const found = await getItem(key, ports);
  return found && parse(found);
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

/**
 * A write on the owner's token. When it is refused, reading again tells a lost lease from a write
 * of ours that took, lost its answer and was sent twice by the SDK: `took` says so of the record.
 */
export async function writeAsOwner<Claimed extends ClaimedRecord>(
  item: ClaimedItem<Claimed>,
  token: Token,
  write: Update,
  took: (record: Claimed) => boolean,
  ports: ClaimPorts,
): Promise<void> {
  const { owner, fence } = token;
  const written = await updateIf(
    item.key,
    {
      ...write,
      condition: "#owner = :owner AND fence = :fence AND #status = :running",
      values: { ...write.values, owner, fence, running: "running" },
    },
    ports,
  );
  if (written) return;
  const record = await readItem(item, ports);
  const ours = record?.owner === owner && record.fence === fence;
  if (!(record && ours && took(record))) throw new LeaseLost(item.name);
}
