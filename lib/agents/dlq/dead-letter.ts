import { SendMessageCommand, type SQSClient } from "@aws-sdk/client-sqs";
import { FAILURE } from "#lib/platform/table/items.ts";
import { keyOf, listingOf } from "#lib/platform/table/keys.ts";
import { putIf, type TablePorts, updateItem } from "#lib/platform/table/operations.ts";
import { expiryOf } from "#lib/platform/table/retention.ts";
import { FailureRecord } from "#schemas/records/failure.ts";

interface Ports extends TablePorts {
  sqs: SQSClient;
  dead_letter_queue_url: string;
}

const BODY_CHARACTERS_MAX = 100_000;

/**
 * Puts a message into its DLQ with a failure record, once: a repeat for the same failure sends
 * nothing, until a replay took the message out. The record is written first, so no message is in a
 * DLQ without one.
 */
export async function deadLetter(failure: FailureRecord, failure_id: string, body: string, ports: Ports) {
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
