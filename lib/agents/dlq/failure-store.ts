import { SendMessageCommand, type SQSClient } from "@aws-sdk/client-sqs";
import { instant, type Runtime } from "#lib/platform/runtime/runtime.ts";
import { FAILURE } from "#lib/platform/table/items.ts";
import { keyOf, listingOf, recordFields } from "#lib/platform/table/keys.ts";
import { getItem, putIf, type TablePorts, updateIf, updateItem } from "#lib/platform/table/operations.ts";
import { expiryOf, isExpired } from "#lib/platform/table/retention.ts";
import type { Envelope } from "#schemas/messages/envelope.ts";
import { FailureRecord } from "#schemas/records/failure.ts";

/**
 * The name of a step's failure: one for each generation, so that copies of a message fail once and
 * a replayed step may fail anew, whichever copy runs it.
 */
export function stepFailureId(idempotency_key: string, generation: number): string {
  return generation === 0 ? idempotency_key : `${idempotency_key}#${generation}`;
}

/** The name of the failure of a message that never got as far as its step. */
export function messageFailureId({ idempotency_key, replay_of }: Envelope): string {
  return replay_of ? `${idempotency_key}#${replay_of}` : idempotency_key;
}

export interface FailurePorts extends TablePorts {
  runtime: Runtime;
}

/** The record of a failure; undefined when there is none, or its time is over. */
export async function readFailure(
  tenant: string,
  failure_id: string,
  ports: FailurePorts,
): Promise<FailureRecord | undefined> {
  const found = await getItem(keyOf(FAILURE, { tenant, failure_id }), ports);
  const record = found && FailureRecord.parse(recordFields(found));
  return record && !isExpired(record, ports.runtime.now()) ? record : undefined;
}

/** What became of a dead letter. Each is said once; the first time counts. */
export type Settlement = "replayed_at" | "resolved_at" | "discarded_at";

/** Notes it in the failure record, if there is one. After a replay the same failure may be sent anew. */
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

/** The step ended well: its failures in all generations before need nobody any more. */
export async function resolveFailures(
  { tenant, idempotency_key }: { tenant: string; idempotency_key: string },
  generation: number,
  ports: FailurePorts,
): Promise<void> {
  for (let before = 0; before < generation; before += 1) {
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
 * Puts a message into its DLQ with a failure record, once: a repeat for the same failure sends
 * nothing, until a replay took the message out. The record is written first, so no message is in a
 * DLQ without one.
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
