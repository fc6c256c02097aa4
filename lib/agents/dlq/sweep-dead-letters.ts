import { GetQueueAttributesCommand } from "@aws-sdk/client-sqs";
import { z } from "zod";
import {
  type DeadLetter,
  type ReplayPorts,
  receiveDeadLetters,
  releaseDeadLetters,
  removeDeadLetter,
} from "#lib/agents/dlq/dead-letter-queue.ts";
import { UNKNOWN_TENANT } from "#lib/agents/dlq/failure-name.ts";
import {
  type FailurePlace,
  isOpen,
  listAgain,
  readFailure,
  recordFailed,
} from "#lib/agents/dlq/failure-store.ts";
import type { ErrorCode } from "#lib/platform/errors/codes.ts";
import { failureFacts, fingerprint } from "#lib/platform/errors/failure.ts";
import { faultOf } from "#lib/platform/errors/fault.ts";
import { instant } from "#lib/platform/runtime/runtime.ts";
import { DEAD_LETTER_SWEEP } from "#lib/platform/table/items.ts";
import { keyOf, recordFields } from "#lib/platform/table/keys.ts";
import { getItem, putItem, type TablePorts } from "#lib/platform/table/operations.ts";
import { Instant, ErrorCode as KnownCode, Tenant } from "#schemas/primitives.ts";
import type { FailureRecord } from "#schemas/records/failure.ts";

/** What a sweep found in one DLQ. */
export interface Swept {
  /** Messages without a failure record, which have one now. */
  recorded: number;
  /** Messages of settled failures, which were deleted. */
  deleted: number;
  /** Messages that stay: their failures are open. */
  open: number;
}

/** Messages of one DLQ that a sweep reads at most. SQS lets 120,000 be received and not deleted at a time. */
const MESSAGES_MAX = 20_000;

/**
 * Reads every message of a DLQ once. One without a failure record, which SQS moved there or another system sent, gets
 * one. One whose failure is settled is deleted. The others become visible again at the end; if the sweep is killed,
 * after five minutes. Safe to repeat.
 */
export async function sweepDeadLetters(service: string, ports: ReplayPorts): Promise<Swept> {
  const swept: Swept = { recorded: 0, deleted: 0, open: 0 };
  const held: DeadLetter[] = [];
  try {
    for await (const letters of receiveDeadLetters(service, MESSAGES_MAX, ports)) {
      held.push(...letters);
      const did = await Promise.all(letters.map((letter) => sweepLetter(letter, ports)));
      for (const one of did) swept[one] += 1;
      for (const [index, letter] of letters.entries()) {
        if (did[index] === "deleted") held.splice(held.indexOf(letter), 1);
      }
    }
  } finally {
    await releaseDeadLetters(held, ports);
  }
  swept.open += swept.recorded;
  return swept;
}

async function sweepLetter(letter: DeadLetter, ports: ReplayPorts): Promise<keyof Swept> {
  const found = await findFailure(letter, ports);
  if (!found) {
    const { failure, failure_id } = failureOf(letter, instant(ports.runtime.now()));
    // Not written when another sweep recorded it at the same time.
    return (await recordFailed(failure, failure_id, ports)) ? "recorded" : "open";
  }
  if (isOpen(found.record)) {
    if (!found.listed) await listAgain(found.place, found.record.last_at, ports);
    return "open";
  }
  await removeDeadLetter(letter, ports);
  return "deleted";
}

/** The failure that a dead letter belongs to: the one it names, or the one that a sweep recorded for it. */
export async function findFailure(
  letter: DeadLetter,
  ports: ReplayPorts,
): Promise<{ place: FailurePlace; record: FailureRecord; listed: boolean } | undefined> {
  const own = { tenant: ownerOf(letter), failure_id: nativeId(letter) };
  const named = { tenant: letter.tenant, failure_id: letter.failure_id };
  const is_named = !letter.native && Tenant.safeParse(named.tenant).success && named.failure_id.length <= 200;
  for (const place of is_named ? [named, own] : [own]) {
    const record = await readFailure(place.tenant, place.failure_id, ports);
    // Records of an earlier version are in no list of open failures; those have no field that this version writes.
    if (!record || (place === own && wasMoved(record))) continue;
    return { place, record, listed: record.settled_at !== undefined || record.listed === true };
  }
  return undefined;
}

/**
 * Whether a move took the message back to its queue. Some endpoints keep the message's id when they move it, so the
 * same id in a DLQ again is another failure (docs/reference/aws-differences.md).
 */
function wasMoved({ settled_at, replayed_at, replayed_as }: FailureRecord): boolean {
  return settled_at !== undefined && replayed_at !== undefined && replayed_as === undefined;
}

/** The id of a failure that only the queue knows of. */
function nativeId({ sqs_message_id }: DeadLetter): string {
  return `native#${sqs_message_id}`;
}

/** The tenant of an envelope that was read; an attribute alone proves nothing. */
function ownerOf({ envelope }: DeadLetter): string {
  return envelope?.tenant ?? UNKNOWN_TENANT;
}

/** The record of a failure that nobody recorded. */
function failureOf(letter: DeadLetter, recorded_at: string): { failure: FailureRecord; failure_id: string } {
  const { service, envelope, body, native, receives, sent_at_ms } = letter;
  const named = KnownCode.safeParse(letter.code).data;
  const code = native || !named ? ("NATIVE_REDRIVE" satisfies ErrorCode) : named;
  const facts = failureFacts(faultOf("terminal", code, sentenceOf(letter)));
  const at = instant(sent_at_ms);
  const failure: FailureRecord = {
    message_id: envelope?.message_id ?? letter.sqs_message_id,
    tenant: ownerOf(letter),
    service,
    ...(envelope && {
      task_id: envelope.task_id,
      step: envelope.step,
      round: envelope.round,
      trace_id: envelope.trace_id,
      idempotency_key: envelope.idempotency_key,
    }),
    ...facts,
    fingerprint: fingerprint(service, facts),
    attempts: 0,
    receives,
    first_at: at,
    last_at: at,
    function_name: "unknown",
    request_id: "unknown",
    policy_hash: "unknown",
    sent_at: at,
    recorded_at,
    native: true,
    body,
  };
  return { failure, failure_id: nativeId(letter) };
}

function sentenceOf({ native }: DeadLetter): string {
  return native
    ? "SQS moved it here after too many receives: each time the worker died before it could record a failure"
    : "it has no failure record: another system sent it here, or its record has expired";
}

const SweepRecord = z.object({
  swept_at: Instant,
  services: z.record(z.string(), z.object({ messages: z.int(), swept_at: Instant })),
});
type SweepRecord = z.infer<typeof SweepRecord>;

/** When the DLQs were last looked at; undefined before the first time. */
export async function readSweep(ports: TablePorts): Promise<SweepRecord | undefined> {
  const found = await getItem(keyOf(DEAD_LETTER_SWEEP, {}), ports);
  return found && SweepRecord.parse(recordFields(found));
}

/** Messages of a DLQ, visible or not, as SQS counts them approximately. */
export async function countDeadLetters(
  service: string,
  { sqs, deadLetterQueueUrl }: Pick<ReplayPorts, "sqs" | "deadLetterQueueUrl">,
): Promise<number> {
  const { Attributes = {} } = await sqs.send(
    new GetQueueAttributesCommand({
      QueueUrl: deadLetterQueueUrl(service),
      AttributeNames: ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"],
    }),
  );
  const { ApproximateNumberOfMessages = 0, ApproximateNumberOfMessagesNotVisible = 0 } = Attributes;
  return Number(ApproximateNumberOfMessages) + Number(ApproximateNumberOfMessagesNotVisible);
}

/** A DLQ that holds messages is read again after so long, even when their number is the same. */
const AGAIN_MS = 3_600_000;
/** The time of the last look is written so often at least. */
const NOTE_MS = 60_000;

/**
 * Sweeps the DLQs whose number of messages changed since the last time, and each that is not empty once an hour.
 * One request for each queue when nothing changed, one read, and one write a minute. Returns the queues that were swept.
 */
export async function sweepChangedQueues(
  services: readonly string[],
  ports: ReplayPorts,
): Promise<Record<string, Swept>> {
  const now = ports.runtime.now();
  const before = await readSweep(ports);
  const counts = await Promise.all(services.map((service) => countDeadLetters(service, ports)));
  const results: Record<string, Swept> = {};
  const next: SweepRecord = { swept_at: instant(now), services: {} };
  for (const [index, service] of services.entries()) {
    const messages = counts[index] ?? 0;
    const last = before?.services[service];
    const due = last === undefined || now - Date.parse(last.swept_at) >= AGAIN_MS;
    if (messages === (last?.messages ?? 0) && !(due && messages > 0)) {
      if (last) next.services[service] = last;
      continue;
    }
    const swept = await sweepDeadLetters(service, ports);
    results[service] = swept;
    next.services[service] = { messages: swept.open, swept_at: instant(now) };
  }
  const stale = !before || now - Date.parse(before.swept_at) >= NOTE_MS;
  if (stale || Object.keys(results).length > 0) {
    await putItem({ ...keyOf(DEAD_LETTER_SWEEP, {}), ...next }, ports);
  }
  return results;
}
