import { DynamoDBClient, type DynamoDBClientConfig } from "@aws-sdk/client-dynamodb";
import { S3Client } from "@aws-sdk/client-s3";
import { SNSClient } from "@aws-sdk/client-sns";
import { SQSClient } from "@aws-sdk/client-sqs";
import { DynamoDBDocumentClient } from "@aws-sdk/lib-dynamodb";
import { meterClient } from "#lib/platform/aws/call-meter.ts";
import { settings } from "#lib/platform/settings/environment.ts";

/**
 * One client of each kind for a whole process, made when first needed. Endpoints and credentials
 * come from the SDK's own variables (`AWS_ENDPOINT_URL_SQS`, …), so every stage runs this code.
 */
function once<Client>(make: () => Client): () => Client {
  let client: Client | undefined;
  return () => {
    client ??= make();
    return client;
  };
}

export const documentClient = once(() => tableClient({}));

/** Makes a DynamoDB document client with these options. */
export function tableClient(options: DynamoDBClientConfig): DynamoDBDocumentClient {
  return DynamoDBDocumentClient.from(meterClient(new DynamoDBClient(options), "dynamodb"), {
    marshallOptions: { removeUndefinedValues: true },
  });
}

export const sqsClient = once(() => meterClient(new SQSClient({}), "sqs"));

export const snsClient = once(() => meterClient(new SNSClient({}), "sns"));

export const s3Client = once(() =>
  meterClient(new S3Client({ forcePathStyle: settings().s3_force_path_style }), "s3"),
);
