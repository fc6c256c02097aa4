import { ConditionalCheckFailedException } from "@aws-sdk/client-dynamodb";
import { SendMessageCommand, type SQSClient } from "@aws-sdk/client-sqs";
import { type DynamoDBDocumentClient, GetCommand, PutCommand, UpdateCommand } from "@aws-sdk/lib-dynamodb";
import { FailureRecord } from "#schemas/records/failure.ts";

interface Ports {
  table: DynamoDBDocumentClient;
  table_name: string;
  sqs: SQSClient;
  dead_letter_queue_url: string;
}

const BODY_CHARACTERS_MAX = 100_000;

/** Where the failures of one tenant are; `by_tenant` lists them by time. */
function failurePartition(tenant: string): string {
  return `FAILURE#${tenant}`;
}

/**
 * Puts a message into its DLQ with a failure record, once: a repeat for the same failure sends
 * nothing. The record is written first, so no message is in a DLQ without one.
 */
export async function deadLetter(failure: FailureRecord, failure_id: string, body: string, ports: Ports) {
  const { table, table_name, sqs, dead_letter_queue_url } = ports;
  const key = { pk: failurePartition(failure.tenant), sk: failure_id };
  const record = FailureRecord.parse({ ...failure, body: failure.body.slice(0, BODY_CHARACTERS_MAX) });
  try {
    await table.send(
      new PutCommand({
        TableName: table_name,
        Item: { ...key, ...record, gsi1pk: `FAILURES#${failure.tenant}`, gsi1sk: failure.last_at },
        ConditionExpression: "attribute_not_exists(pk)",
      }),
    );
  } catch (error) {
    if (!(error instanceof ConditionalCheckFailedException)) throw error;
    const { Item } = await table.send(
      new GetCommand({ TableName: table_name, Key: key, ConsistentRead: true }),
    );
    if (Item?.sent_at) return;
  }
  await sqs.send(
    new SendMessageCommand({
      QueueUrl: dead_letter_queue_url,
      MessageBody: body,
      MessageAttributes: {
        code: { DataType: "String", StringValue: failure.code },
        failure_id: { DataType: "String", StringValue: failure_id },
      },
    }),
  );
  await table.send(
    new UpdateCommand({
      TableName: table_name,
      Key: key,
      UpdateExpression: "SET sent_at = :at",
      ExpressionAttributeValues: { ":at": failure.last_at },
    }),
  );
}
