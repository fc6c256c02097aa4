import { SendMessageCommand, type SQSClient } from "@aws-sdk/client-sqs";
import { instant, type Runtime } from "#lib/platform/runtime/runtime.ts";
import { assignments } from "#lib/platform/table/expressions.ts";
import { FAILURE } from "#lib/platform/table/items.ts";
import {
  type Item,
  keyOf,
  listingAttributes,
  listingOf,
  openShard,
  recordFields,
} from "#lib/platform/table/keys.ts";
import {
  getItem,
  NEW,
  type NewItem,
  putIf,
  type TablePorts,
  updateIf,
} from "#lib/platform/table/operations.ts";
import { expiryOf, isExpired } from "#lib/platform/table/retention.ts";
import type { Envelope } from "#schemas/messages/envelope.ts";
import { FailureRecord } from "#schemas/records/failure.ts";

/**
 * The id of a step's failure. It contains the step's replay count, so that copies of a message produce one failure,
 * and a replayed step can fail again with a new id.
 */
export function stepFailureId(idempotency_key: string, replay_count: number): string {
  return replay_count === 0 ? idempotency_key : `${idempotency_key}#${replay_count}`;
}

/** The id of the failure of a message that failed before its step was claimed. */
export function messageFailureId({ idempotency_key, replay_of }: Envelope): string {
  return replay_of ? `${idempotency_key}#${replay_of}` : idempotency_key;
}

export interface FailurePorts extends TablePorts {
  runtime: Runtime;
}

/** The record of a failure; undefined when there is none or it has expired. */
export async function readFailure(
  tenant: string,
  failure_id: string,
  ports: FailurePorts,
): Promise<FailureRecord | undefined> {
  const found = await getItem(keyOf(FAILURE, { tenant, failure_id }), ports);
  const record = found && FailureRecord.parse(recordFields(found));
  return record && !isExpired(record, ports.runtime.now()) ? record : undefined;
}

/** The failure record's place: its key, and what lists it. */
export interface FailurePlace {
  tenant: string;
  failure_id: string;
}

/** The shard of index `open_tasks` that lists an open failure. The number of a replay would fill one shard. */
function shardOf(failure_id: string): number {
  return openShard(failure_id.replace(/#\d{1,3}$/, ""));
}

/** What lists an open failure. */
function openListing({ tenant, failure_id }: FailurePlace, last_at: string): Item {
  return {
    ...listingOf(FAILURE, "by_tenant", { list: "open", tenant, last_at, failure_id }),
    ...listingOf(FAILURE, "open_tasks", { shard: shardOf(failure_id), last_at, failure_id }),
  };
}

/** Lists a failure that an earlier version recorded, which listed it otherwise. */
export async function listAgain(place: FailurePlace, last_at: string, ports: FailurePorts): Promise<void> {
  const { expression, values } = assignments({ ...openListing(place, last_at), listed: true });
  await updateIf(
    keyOf(FAILURE, place),
    {
      update: `SET ${expression}`,
      condition: "attribute_exists(pk) AND attribute_not_exists(settled_at)",
      values,
    },
    ports,
  );
}

/**
 * Notes that a replay begins, before its message is sent: the same failure may be dead-lettered again from then on.
 * False when the failure was settled meanwhile: then do not send.
 */
export async function beginReplay(
  place: FailurePlace,
  ports: FailurePorts,
  edit?: { by: string; why: string },
): Promise<boolean> {
  const at = instant(ports.runtime.now());
  const edits = edit ? ", edit = if_not_exists(edit, :edit)" : "";
  const written = await updateIf(
    keyOf(FAILURE, place),
    {
      update: `SET replayed_at = if_not_exists(replayed_at, :at)${edits} REMOVE sent_at`,
      condition: "attribute_exists(pk) AND attribute_not_exists(settled_at)",
      values: { at, ...(edit && { edit: { ...edit, at } }) },
    },
    ports,
  );
  return written !== undefined;
}

/** How a failure is settled, and what is known of it. */
export type Settlement = { by?: string | undefined } & (
  | { as: "replayed"; message_id?: string }
  | { as: "resolved" }
  | { as: "discarded"; because: string }
);

/** What must hold for a settlement. A failure that was dead-lettered again since its replay began stays open. */
const SETTLES_WHEN = {
  replayed: "attribute_not_exists(sent_at)",
  resolved: "attribute_exists(pk)",
  discarded: "attribute_not_exists(replayed_at)",
} as const;

/**
 * Settles an open failure: it leaves the lists of open ones, and its message may be deleted from the DLQ. False when
 * it was settled before, or when the settlement does not fit what happened since.
 */
export async function settleFailure(
  place: FailurePlace & { last_at: string },
  settlement: Settlement,
  ports: FailurePorts,
): Promise<boolean> {
  const { as } = settlement;
  const listing = listingOf(FAILURE, "by_tenant", { list: "settled", ...place });
  const at = instant(ports.runtime.now());
  const { expression, values } = assignments({
    ...listing,
    settled_at: at,
    ...(settlement.by !== undefined && { settled_by: settlement.by }),
    ...(settlement.as === "replayed" && settlement.message_id && { replayed_as: settlement.message_id }),
    ...(settlement.as === "discarded" && { discarded_because: settlement.because }),
  });
  const written = await updateIf(
    keyOf(FAILURE, place),
    {
      update: `SET ${expression}, ${as}_at = if_not_exists(${as}_at, :done_at) REMOVE ${listingAttributes("open_tasks").join(", ")}`,
      condition: `attribute_exists(pk) AND attribute_not_exists(settled_at) AND ${SETTLES_WHEN[as]}`,
      values: { ...values, done_at: at },
    },
    ports,
  );
  return written !== undefined;
}

/** Whether an operator's decision on the failure is still to come. */
export function isOpen({ settled_at, discarded_at }: FailureRecord): boolean {
  return settled_at === undefined && discarded_at === undefined;
}

/** Marks the failures before `replay_count` as resolved, because the step has succeeded since. */
export async function resolveFailures(
  { tenant, idempotency_key }: { tenant: string; idempotency_key: string },
  replay_count: number,
  ports: FailurePorts,
): Promise<void> {
  for (let before = 0; before < replay_count; before += 1) {
    const failure_id = stepFailureId(idempotency_key, before);
    await updateIf(
      keyOf(FAILURE, { tenant, failure_id }),
      {
        update: "SET resolved_at = if_not_exists(resolved_at, :at)",
        condition: "attribute_exists(pk)",
        values: { at: instant(ports.runtime.now()) },
      },
      ports,
    );
  }
}

interface DeadLetterPorts extends TablePorts {
  sqs: SQSClient;
  dead_letter_queue_url: string;
}

/** More than any message of ours has: a larger payload travels by reference. An item may have 400 KB. */
const BODY_BYTES_MAX = 250_000;

/** The beginning of a text that takes at most `BODY_BYTES_MAX` bytes. */
function cutBody(body: string): string {
  if (Buffer.byteLength(body) <= BODY_BYTES_MAX) return body;
  return Buffer.from(body)
    .subarray(0, BODY_BYTES_MAX)
    .toString("utf8")
    .replace(/\ufffd$/, "");
}

/**
 * Writes the record of a failure whose message is in the DLQ already. False when it is recorded. A record whose
 * message a move took back to its queue is replaced: the message failed again.
 */
export async function recordFailed(
  failure: FailureRecord,
  failure_id: string,
  ports: TablePorts,
): Promise<boolean> {
  const moved =
    "attribute_exists(settled_at) AND attribute_exists(replayed_at) AND attribute_not_exists(replayed_as)";
  return putIf(failureItem(failure, failure_id), { condition: `${NEW.condition} OR (${moved})` }, ports);
}

function failureItem(failure: FailureRecord, failure_id: string): NewItem {
  const { tenant, last_at } = failure;
  const record = FailureRecord.parse({
    ...failure,
    body: cutBody(failure.body),
    expires_at: expiryOf(FAILURE, Date.parse(last_at)),
  });
  const place = { tenant, failure_id };
  return { ...keyOf(FAILURE, place), ...openListing(place, last_at), ...record, listed: true };
}

/**
 * Writes a failure record and sends the message to its DLQ, once: a repeat for the same failure sends nothing
 * until a replay has removed the message. The record is written first, so every message that this code sends to
 * a DLQ has a record.
 */
export async function deadLetter(
  failure: FailureRecord,
  failure_id: string,
  body: string,
  ports: DeadLetterPorts,
) {
  const { sqs, dead_letter_queue_url } = ports;
  const { tenant, last_at } = failure;
  const key = keyOf(FAILURE, { tenant, failure_id });
  const written = await putIf(
    failureItem(failure, failure_id),
    {
      condition: "attribute_not_exists(sent_at) OR expires_at <= :now",
      values: { now: Math.floor(Date.parse(last_at) / 1000) },
    },
    ports,
  );
  if (!written) return;
  await sqs.send(
    new SendMessageCommand({
      QueueUrl: dead_letter_queue_url,
      MessageBody: body,
      MessageAttributes: {
        code: { DataType: "String", StringValue: failure.code },
        failure_id: { DataType: "String", StringValue: failure_id },
        tenant: { DataType: "String", StringValue: tenant },
      },
    }),
  );
  // Not once a replay has begun: the message that it sends may fail under the same id.
  await updateIf(
    key,
    { update: "SET sent_at = :at", condition: "attribute_not_exists(replayed_at)", values: { at: last_at } },
    ports,
  );
}
