import { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { S3Client } from "@aws-sdk/client-s3";
import { SQSClient } from "@aws-sdk/client-sqs";
import { createBucket } from "./create-bucket.ts";
import { createQueue } from "./create-queue.ts";
import { createTable } from "./create-table.ts";
import { type ResourceLookup, type ResourceValues, resolveIntrinsics } from "./resolve-intrinsics.ts";

export interface Resource {
  Type: string;
  Properties?: Record<string, unknown>;
}

export interface StackNames {
  service: string;
  stage: string;
  region: string;
}

const ACCOUNT_ID = "000000000000";
const CREATED_TYPES = ["AWS::SQS::Queue", "AWS::DynamoDB::Table", "AWS::S3::Bucket"];

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
  const values = new Map<string, ResourceValues>(pseudoParameters(names));
  const created = Object.entries(resources).filter(([, { Type }]) => CREATED_TYPES.includes(Type));
  for (const [logical_id, resource] of created) {
    values.set(logical_id, plannedValues(logical_id, resource, names, sqs_url));
  }
  const lookup: ResourceLookup = (logical_id) => values.get(logical_id);
  const clients = {
    sqs: new SQSClient(),
    dynamodb: new DynamoDBClient(),
    s3: new S3Client({ forcePathStyle: true }),
  };
  try {
    for (const [logical_id, { Type, Properties = {} }] of created) {
      const properties = resolveIntrinsics(Properties, lookup) as Record<string, unknown>;
      const name = physicalName(logical_id, { Type, Properties }, names);
      if (Type === "AWS::SQS::Queue") await createQueue(clients.sqs, name, properties);
      if (Type === "AWS::DynamoDB::Table") await createTable(clients.dynamodb, name, properties);
      if (Type === "AWS::S3::Bucket") await createBucket(clients.s3, name);
    }
  } finally {
    for (const client of Object.values(clients)) client.destroy();
  }
  return lookup;
}

function pseudoParameters({ service, stage, region }: StackNames): [string, ResourceValues][] {
  return [
    ["AWS::Region", { ref: region, attributes: {} }],
    ["AWS::AccountId", { ref: ACCOUNT_ID, attributes: {} }],
    ["AWS::Partition", { ref: "aws", attributes: {} }],
    ["AWS::StackName", { ref: `${service}-${stage}`, attributes: {} }],
  ];
}

function physicalName(logical_id: string, { Properties = {} }: Resource, names: StackNames): string {
  const given = Properties.QueueName ?? Properties.TableName ?? Properties.BucketName;
  return typeof given === "string" ? given : `${names.service}-${names.stage}-${logical_id}`.toLowerCase();
}

/** Names and ARNs follow from the declaration, so that resources may refer to each other in any order. */
function plannedValues(
  logical_id: string,
  resource: Resource,
  names: StackNames,
  sqs_url: string,
): ResourceValues {
  const name = physicalName(logical_id, resource, names);
  const { region } = names;
  if (resource.Type === "AWS::SQS::Queue") {
    const url = `${sqs_url}/${ACCOUNT_ID}/${name}`;
    const arn = `arn:aws:sqs:${region}:${ACCOUNT_ID}:${name}`;
    return { ref: url, attributes: { Arn: arn, QueueName: name, QueueUrl: url } };
  }
  if (resource.Type === "AWS::DynamoDB::Table") {
    return { ref: name, attributes: { Arn: `arn:aws:dynamodb:${region}:${ACCOUNT_ID}:table/${name}` } };
  }
  return { ref: name, attributes: { Arn: `arn:aws:s3:::${name}` } };
}
