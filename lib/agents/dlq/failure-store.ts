import { SendMessageCommand, type SQSClient } from "@aws-sdk/client-sqs";
import { instant, type Runtime } from "#lib/platform/runtime/runtime.ts";
import { FAILURE } from "#lib/platform/table/items.ts";
import { keyOf, listingOf, recordFields } from "#lib/platform/table/keys.ts";
import { getItem, putIf, type TablePorts, updateIf, updateItem } from "#lib/platform/table/operations.ts";
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

/** What was done with a dead letter. Each is recorded once; the first time is kept. */
export type Settlement = "replayed_at" | "resolved_at" | "discarded_at";

/** Records the settlement in the failure record, if there is one. After a replay the same failure may be dead-lettered again. */
export async function settleFailureRecord(
  failure: { tenant: string; failure_id: string },
  settlement: Settlement,
  ports: FailurePorts,
): Promise<void> {
  const remove = settlement === "replayed_at" ? " REMOVE sent_at" : "";
  await updateIf(
    keyOf(FAILURE, failure),
    {
      update: `SET #settlement = if_not_exists(#settlement, :at)${remove}`,
      condition: "attribute_exists(pk)",
      names: { "#settlement": settlement },
      values: { at: instant(ports.runtime.now()) },
    },
    ports,
  );
}

/** Marks the failures before `replay_count` as resolved, because the step has succeeded since. */
export async function resolveFailures(
  { tenant, idempotency_key }: { tenant: string; idempotency_key: string },
  replay_count: number,
  ports: FailurePorts,
): Promise<void> {
  for (let before = 0; before < replay_count; before += 1) {
    const failure_id = stepFailureId(idempotency_key, before);
    await settleFailureRecord({ tenant, failure_id }, "resolved_at", ports);
  }
}

interface DeadLetterPorts extends TablePorts {
  sqs: SQSClient;
  dead_letter_queue_url: string;
}

const BODY_CHARACTERS_MAX = 100_000;

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
  const record = FailureRecord.parse({
    ...failure,
    body: failure.body.slice(0, BODY_CHARACTERS_MAX),
    expires_at: expiryOf(FAILURE, Date.parse(last_at)),
  });
  const written = await putIf(
    { ...key, ...listingOf(FAILURE, "by_tenant", failure), ...record },
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
  await updateItem(key, { update: "SET sent_at = :at", values: { at: last_at } }, ports);
}
