import { readFileSync } from "node:fs";
import { DescribeTableCommand, DynamoDBClient, PutItemCommand, ScanCommand } from "@aws-sdk/client-dynamodb";
import {
  GetQueueAttributesCommand,
  ReceiveMessageCommand,
  SendMessageCommand,
  SQSClient,
} from "@aws-sdk/client-sqs";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { parse } from "yaml";
import { INDEXES } from "#lib/platform/table/item-kind.ts";
import { temporaryDirectory } from "#test/temporary.ts";
import { openDataDirectory } from "../../local/data-directory.ts";
import { type Emulators, startEmulators } from "../../local/emulators/start-emulators.ts";
import { enterLocalEnvironment, localEnvironment } from "../../local/local-environment.ts";
import { anyFreePort } from "../../local/ports.ts";
import { createResources } from "../../local/resources/create-resources.ts";
import type { Resource } from "../../local/resources/planned-resources.ts";
import { expandAgents } from "../../scripts/serverless/expand-agents.ts";

interface Declared {
  functions: Record<string, { timeout: number; events?: { sqs?: { arn: { "Fn::GetAtt": [string] } } }[] }>;
  provider: { environment: Record<string, { Ref: string }> };
  resources: { Resources: Record<string, Resource & { Properties: Record<string, unknown> }> };
}

const file = new URL("../../serverless.yml", import.meta.url);
const text = readFileSync(file, "utf8").replaceAll(`\${self:service}-\${sls:stage}`, "agents-local");
const declared = parse(text) as Declared;
expandAgents(declared as never);
const { Resources } = declared.resources;
const names = { service: "agents", stage: "local", region: "us-east-1" };

describe("serverless.yml", () => {
  const fed = Object.entries(declared.functions).flatMap(([name, { timeout, events = [] }]) =>
    events.flatMap(({ sqs }) => (sqs ? [{ name, timeout, queue: sqs.arn["Fn::GetAtt"][0] }] : [])),
  );

  it.each(fed)("hides a message from $queue for six times the timeout of $name", ({ timeout, queue }) => {
    expect(Resources[queue]!.Properties.VisibilityTimeout).toBe(6 * timeout);
  });

  it.each(fed)("gives $queue its own dead-letter queue, kept for 14 days", ({ queue }) => {
    const own = queue.replace("Queue", "DeadLetterQueue");
    expect(Resources[queue]!.Properties.RedrivePolicy).toEqual({
      deadLetterTargetArn: { "Fn::GetAtt": [own, "Arn"] },
      maxReceiveCount: 20,
    });
    expect(Resources[own]!.Properties.MessageRetentionPeriod).toBe(14 * 86_400);
  });

  it.each(fed)("tells every function the URLs of $queue and its dead letters", ({ name, queue }) => {
    const { environment } = declared.provider;
    expect(environment[`QUEUE_URL_${name.toUpperCase()}`]).toEqual({ Ref: queue });
    expect(environment[`DLQ_URL_${name.toUpperCase()}`]).toEqual({
      Ref: queue.replace("Queue", "DeadLetterQueue"),
    });
  });
});

describe("the resources of serverless.yml, created locally", () => {
  const directory = temporaryDirectory("local-resources");
  const data = openDataDirectory(directory);
  const before = { ...process.env };
  let emulators: Emulators;
  const create = (resources: Record<string, Resource>) =>
    createResources(resources, names, emulators.sqs_and_s3_url);

  beforeAll(async () => {
    emulators = await startEmulators(data, await anyFreePort());
    enterLocalEnvironment(localEnvironment(emulators, names.region));
  });
  afterAll(async () => {
    await emulators.close();
    data.release();
    process.env = before;
  });

  it("answers Ref and GetAtt with names that work", async () => {
    const lookup = await create(Resources);
    const sqs = new SQSClient();
    const { Attributes } = await sqs.send(
      new GetQueueAttributesCommand({ QueueUrl: lookup("BuildtestQueue")?.ref, AttributeNames: ["All"] }),
    );
    expect(Attributes).toMatchObject({
      QueueArn: lookup("BuildtestQueue")?.attributes.Arn,
      VisibilityTimeout: "5400",
      RedrivePolicy: JSON.stringify({
        deadLetterTargetArn: lookup("BuildtestDeadLetterQueue")?.attributes.Arn,
        maxReceiveCount: 20,
      }),
    });
    const { Table } = await new DynamoDBClient().send(
      new DescribeTableCommand({ TableName: lookup("Table")?.ref }),
    );
    const indexes = (Table?.GlobalSecondaryIndexes ?? []).map(({ IndexName, KeySchema, Projection }) => {
      const [partition, sort] = (KeySchema ?? []).map(({ AttributeName }) => AttributeName);
      return [IndexName, { partition, sort, holds: Projection?.ProjectionType }];
    });
    expect(Object.fromEntries(indexes)).toEqual(INDEXES);
  });

  it("keeps what is there and takes over changed attributes", async () => {
    const lookup = await create(Resources);
    const QueueUrl = lookup("SandboxQueue")?.ref;
    const TableName = lookup("Table")?.ref;
    const sqs = new SQSClient();
    const dynamodb = new DynamoDBClient();
    await sqs.send(new SendMessageCommand({ QueueUrl, MessageBody: "kept" }));
    await dynamodb.send(new PutItemCommand({ TableName, Item: { pk: { S: "kept" }, sk: { S: "item" } } }));
    const changed = structuredClone(Resources);
    changed.SandboxQueue!.Properties.VisibilityTimeout = 60;
    await create(changed);
    const { Messages } = await sqs.send(new ReceiveMessageCommand({ QueueUrl }));
    expect(Messages?.[0]?.Body).toBe("kept");
    expect((await dynamodb.send(new ScanCommand({ TableName }))).Count).toBe(1);
    const { Attributes } = await sqs.send(
      new GetQueueAttributesCommand({ QueueUrl, AttributeNames: ["VisibilityTimeout"] }),
    );
    expect(Attributes?.VisibilityTimeout).toBe("60");
  });

  it("refuses a table whose keys were changed, and says what to do", async () => {
    await create(Resources);
    const changed = structuredClone(Resources);
    changed.Table!.Properties.GlobalSecondaryIndexes = undefined;
    await expect(create(changed)).rejects.toThrow("Delete the data directory");
  });

  it("leaves out what nothing local stands for", async () => {
    const lookup = await create({ Alarm: { Type: "AWS::CloudWatch::Alarm" } });
    expect(lookup("Alarm")).toBeUndefined();
  });
});
