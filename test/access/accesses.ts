import { pascalCase } from "../../scripts/serverless/logical-id.ts";

/** What record-aws-calls.ts writes down. */
export interface RecordedCall {
  function: string;
  command: string;
  input: Record<string, unknown>;
  /** Unix ms at its end. */
  at_ms: number;
  /** What the table says it took, indexes included. */
  consumed?: { CapacityUnits?: number };
}

/** One action on one resource, as IAM sees it. */
export interface Access {
  action: string;
  resource: string;
  /** The partition key, for the table. */
  key?: string;
  /** The attributes it names, for the table. */
  attributes: string[];
}

/** What a call asks of IAM. Throws for a command nobody has looked at yet. */
export function accessesOf({ command, input }: RecordedCall): Access[] {
  const name = command.replace(/Command$/, "");
  if (input.TableName !== undefined) return [tableAccess(name, input)];
  if (input.QueueUrl !== undefined) {
    // A batch asks for the permission of its single action:
    // https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-api-permissions-reference.html
    const action = `sqs:${name.replace(/Batch$/, "")}`;
    return [{ action, resource: queueOf(String(input.QueueUrl)), attributes: [] }];
  }
  return objectAccesses(name, input).map(([action, key]) => ({
    action: `s3:${action}`,
    resource: key === undefined ? "ArtifactBucket.Arn" : `ArtifactBucket.Arn/${key}`,
    attributes: [],
  }));
}

/** https://docs.aws.amazon.com/AmazonS3/latest/userguide/using-with-s3-policy-actions.html */
function objectAccesses(name: string, input: Record<string, unknown>): [string, string?][] {
  const key = String(input.Key);
  const tagging: [string, string][] = input.Tagging ? [["PutObjectTagging", key]] : [];
  if (name === "GetObject" || name === "HeadObject") return [["GetObject", key]];
  if (name === "PutObject") return [["PutObject", key], ...tagging];
  if (name === "HeadBucket") return [["ListBucket"]];
  if (name === "CopyObject") {
    const [, ...source] = decodeURI(String(input.CopySource)).split("/");
    return [["GetObject", source.join("/")], ["PutObject", key], ...tagging];
  }
  throw new Error(`${name}: say in test/access/accesses.ts what it asks of IAM`);
}

function tableAccess(name: string, input: Record<string, unknown>): Access {
  const index = input.IndexName ? `/index/${input.IndexName}` : "";
  const place = (input.Key ?? input.Item ?? {}) as Record<string, unknown>;
  const [, value = ""] = /^\w+ = (:\w+)/.exec(String(input.KeyConditionExpression)) ?? [];
  const values = (input.ExpressionAttributeValues ?? {}) as Record<string, unknown>;
  const key = input.KeyConditionExpression === undefined ? place.pk : values[value];
  return {
    action: `dynamodb:${name}`,
    resource: `Table.Arn${index}`,
    key: String((key as { S?: string })?.S ?? key),
    attributes: attributesIn(place, input),
  };
}

/** Those of the key or item, those behind `#names`, and those that expressions name as they are. */
function attributesIn(place: Record<string, unknown>, input: Record<string, unknown>): string[] {
  const expressions = [input.UpdateExpression, input.ConditionExpression].filter(Boolean).join(" ");
  const words = expressions.replace(/[:#]\w+|\w+\s*\(|"[^"]*"/g, " ").match(/\b[a-z]\w*\b/g) ?? [];
  return [
    ...Object.keys(place),
    ...Object.values((input.ExpressionAttributeNames ?? {}) as Record<string, string>),
    ...words,
  ];
}

/** `…/distributed-agents-local-codegen-dlq` → `CodegenDeadLetterQueue.Arn` */
function queueOf(url: string): string {
  const [, agent = "", dead] = /distributed-agents-\w+-(.+?)(-dlq)?$/.exec(url) ?? [];
  return `${pascalCase(agent)}${dead ? "DeadLetterQueue" : "Queue"}.Arn`;
}
