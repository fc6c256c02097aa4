import type { ResourceLookup, ResourceValues } from "./resolve-intrinsics.ts";

export interface Resource {
  Type: string;
  Properties?: Record<string, unknown>;
}

export interface StackNames {
  service: string;
  stage: string;
  region: string;
}

/** The account of every emulator here. */
const ACCOUNT_ID = "000000000000";
const NAME_PROPERTIES: Record<string, string> = {
  "AWS::SQS::Queue": "QueueName",
  "AWS::DynamoDB::Table": "TableName",
  "AWS::S3::Bucket": "BucketName",
};

/**
 * What Ref and Fn::GetAtt give for the queues, tables and buckets of a `Resources` block. Names and ARNs
 * follow from the declaration, so that resources may refer to each other in any order, and stay the same
 * when they are made anew.
 */
export function plannedLookup(
  resources: Record<string, Resource>,
  names: StackNames,
  sqs_url: string,
): ResourceLookup {
  const values = new Map<string, ResourceValues>(pseudoParameters(names));
  for (const [logical_id, resource] of Object.entries(resources)) {
    if (resource.Type in NAME_PROPERTIES) {
      values.set(logical_id, plannedValues(logical_id, resource, names, sqs_url));
    }
  }
  return (logical_id) => values.get(logical_id);
}

/** The resource with its planned name written into it, where it has one. */
export function named(logical_id: string, resource: Resource, names: StackNames): Resource {
  const property = NAME_PROPERTIES[resource.Type];
  if (property === undefined) return resource;
  const name = physicalName(logical_id, resource, names);
  return { ...resource, Properties: { ...resource.Properties, [property]: name } };
}

export function physicalName(
  logical_id: string,
  { Type, Properties = {} }: Resource,
  names: StackNames,
): string {
  const given = Properties[NAME_PROPERTIES[Type] ?? ""];
  return typeof given === "string" ? given : `${names.service}-${names.stage}-${logical_id}`.toLowerCase();
}

function pseudoParameters({ service, stage, region }: StackNames): [string, ResourceValues][] {
  return [
    ["AWS::Region", { ref: region, attributes: {} }],
    ["AWS::AccountId", { ref: ACCOUNT_ID, attributes: {} }],
    ["AWS::Partition", { ref: "aws", attributes: {} }],
    ["AWS::StackName", { ref: `${service}-${stage}`, attributes: {} }],
  ];
}

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
