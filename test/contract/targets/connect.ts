import { randomUUID } from "node:crypto";
import { readFileSync } from "node:fs";
import { setTimeout as delay } from "node:timers/promises";
import { DeleteTableCommand, DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { CreateBucketCommand, S3Client } from "@aws-sdk/client-s3";
import {
  CreateQueueCommand,
  DeleteQueueCommand,
  GetQueueAttributesCommand,
  SQSClient,
} from "@aws-sdk/client-sqs";
import { DynamoDBDocumentClient } from "@aws-sdk/lib-dynamodb";
import { parse } from "yaml";
import { createTable } from "../../../local/resources/create-table.ts";
import type { BucketWorld, QueueWorld, TableWorld } from "./worlds.ts";

const region = "us-east-1";
const credentials = { accessKeyId: "test", secretAccessKey: "test" }; // LocalStack checks signatures made with these

/** A table of its own at an endpoint. */
export async function connectTable(endpoint: string): Promise<TableWorld> {
  const client = new DynamoDBClient({ endpoint, region, credentials });
  const declared = parse(readFileSync("serverless.yml", "utf8")).resources.Resources.Table.Properties;
  const table_name = `contract-${randomUUID()}`;
  await createTable(client, table_name, declared);
  return {
    client,
    table: DynamoDBDocumentClient.from(client, { marshallOptions: { removeUndefinedValues: true } }),
    table_name,
    async close() {
      await client.send(new DeleteTableCommand({ TableName: table_name }));
      client.destroy();
    },
  };
}

export async function connectQueues(endpoint: string): Promise<QueueWorld> {
  const sqs = new SQSClient({ endpoint, region, credentials });
  const urls: string[] = [];
  return {
    sqs,
    async queue(Attributes = {}) {
      const { QueueUrl: url = "" } = await sqs.send(
        new CreateQueueCommand({ QueueName: `contract-${randomUUID()}`, Attributes }),
      );
      urls.push(url);
      const found = await sqs.send(
        new GetQueueAttributesCommand({ QueueUrl: url, AttributeNames: ["QueueArn"] }),
      );
      return { url, arn: found.Attributes?.QueueArn ?? "" };
    },
    elapse: (seconds) => delay(seconds * 1000),
    async close() {
      for (const QueueUrl of urls) await sqs.send(new DeleteQueueCommand({ QueueUrl }));
      sqs.destroy();
    },
  };
}

export async function connectBucket(
  endpoint: string,
  secretAccessKey = credentials.secretAccessKey,
): Promise<BucketWorld> {
  const signing = { ...credentials, secretAccessKey };
  const s3 = new S3Client({ endpoint, region, credentials: signing, forcePathStyle: true });
  const bucket = `contract-${randomUUID()}`;
  await s3.send(new CreateBucketCommand({ Bucket: bucket }));
  return { s3, bucket, close: async () => s3.destroy() };
}
