import { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { S3Client } from "@aws-sdk/client-s3";
import { SQSClient } from "@aws-sdk/client-sqs";
import { createBucket } from "./create-bucket.ts";
import { createQueue } from "./create-queue.ts";
import { createTable } from "./create-table.ts";
import { physicalName, plannedLookup, type Resource, type StackNames } from "./planned-resources.ts";
import { type ResourceLookup, resolveIntrinsics } from "./resolve-intrinsics.ts";

/**
 * Creates the queues, tables and buckets of a CloudFormation `Resources` block at the endpoints in the
 * environment (AWS_ENDPOINT_URL_*), keeping those that exist, and answers what Ref and Fn::GetAtt give
 * for them. Resources of other types are left out: nothing local stands for them.
 */
export async function createResources(
  resources: Record<string, Resource>,
  names: StackNames,
  sqs_url: string,
): Promise<ResourceLookup> {
  const lookup = plannedLookup(resources, names, sqs_url);
  const clients = {
    sqs: new SQSClient(),
    dynamodb: new DynamoDBClient(),
    s3: new S3Client({ forcePathStyle: true }),
  };
  try {
    for (const [logical_id, { Type, Properties = {} }] of Object.entries(resources)) {
      const create = {
        "AWS::SQS::Queue": createQueue.bind(undefined, clients.sqs),
        "AWS::DynamoDB::Table": createTable.bind(undefined, clients.dynamodb),
        "AWS::S3::Bucket": createBucket.bind(undefined, clients.s3),
      }[Type];
      if (create === undefined) continue;
      const properties = resolveIntrinsics(Properties, lookup) as Record<string, unknown>;
      await create(physicalName(logical_id, { Type, Properties }, names), properties);
    }
  } finally {
    for (const client of Object.values(clients)) client.destroy();
  }
  return lookup;
}
