import { ConditionalCheckFailedException } from "@aws-sdk/client-dynamodb";
import { SendMessageCommand, type SQSClient } from "@aws-sdk/client-sqs";
import { PutCommand, UpdateCommand } from "@aws-sdk/lib-dynamodb";
import { type FailurePorts, failureKey } from "#lib/agents/dlq/failure-store.ts";
import { FailureRecord } from "#schemas/records/failure.ts";

interface Ports extends FailurePorts {
  sqs: SQSClient;
  dead_letter_queue_url: string;
}

const BODY_CHARACTERS_MAX = 100_000;
const KEPT_MS = 30 * 86_400_000;

/**
 * Puts a message into its DLQ with a failure record, once: a repeat for the same failure sends
 * nothing, until a replay took the message out. The record is written first, so no message is in a
 * DLQ without one. It is kept for 30 days.
 */
export async function deadLetter(failure: FailureRecord, failure_id: string, body: string, ports: Ports) {
  const { table, table_name, sqs, dead_letter_queue_url } = ports;
  const Key = failureKey(failure.tenant, failure_id);
  const record = FailureRecord.parse({
    ...failure,
    body: failure.body.slice(0, BODY_CHARACTERS_MAX),
    expires_at: Math.floor((Date.parse(failure.last_at) + KEPT_MS) / 1000),
  });
  try {
    await table.send(
      new PutCommand({
        TableName: table_name,
        Item: { ...Key, ...record, gsi1pk: `FAILURES#${failure.tenant}`, gsi1sk: failure.last_at },
        ConditionExpression: "attribute_not_exists(sent_at) OR expires_at <= :now",
        ExpressionAttributeValues: { ":now": Math.floor(Date.parse(failure.last_at) / 1000) },
      }),
    );
  } catch (error) {
    if (error instanceof ConditionalCheckFailedException) return;
    throw error;
  }
  await sqs.send(
    new SendMessageCommand({
      QueueUrl: dead_letter_queue_url,
      MessageBody: body,
      MessageAttributes: {
        code: { DataType: "String", StringValue: failure.code },
        failure_id: { DataType: "String", StringValue: failure_id },
        tenant: { DataType: "String", StringValue: failure.tenant },
      },
    }),
  );
  await table.send(
    new UpdateCommand({
      TableName: table_name,
      Key,
      UpdateExpression: "SET sent_at = :at",
      ExpressionAttributeValues: { ":at": failure.last_at },
    }),
  );
}
