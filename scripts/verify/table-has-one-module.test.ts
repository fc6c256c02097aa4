import { describe, expect, it } from "vitest";
import { memoryTree } from "../tree/memory-tree.ts";
import { tableHasOneModule } from "./table-has-one-module.ts";

const found = (files: Record<string, string>) => tableHasOneModule.check(memoryTree(files));

describe("table-has-one-module", () => {
  it("accepts commands in the table module, clients where they are made, and what only sets up or looks on", () => {
    const command =
      'import { GetCommand } from "@aws-sdk/lib-dynamodb"; new GetCommand({ Key: { pk: "TASK#a" } });';
    expect(
      found({
        "lib/platform/table/operations.ts": command,
        "lib/platform/aws/clients.ts":
          'import { DynamoDBClient } from "@aws-sdk/client-dynamodb"; new DynamoDBClient();',
        "lib/work/tasks/task-store.ts":
          'import { getItem } from "#lib/platform/table/operations.ts"; getItem();',
        "lib/work/tasks/task-store.test.ts": command,
        "local/resources/create-table.ts": command,
        "test/integration/a.test.ts": command,
        "bench/a.ts": command,
      }),
    ).toEqual([]);
  });

  it.each([
    ["a command", 'import { PutCommand } from "@aws-sdk/lib-dynamodb"; new PutCommand({});'],
    [
      "a type",
      'import type { DynamoDBDocumentClient } from "@aws-sdk/lib-dynamodb"; export type X = DynamoDBDocumentClient;',
    ],
    ["a type in place", 'export type X = import("@aws-sdk/client-dynamodb").DynamoDBClient;'],
    [
      "the exception",
      'import { ConditionalCheckFailedException as X } from "@aws-sdk/client-dynamodb"; new X();',
    ],
    ["what is loaded later", 'export const x = () => import("@aws-sdk/client-dynamodb");'],
    ["what is passed on", 'export { GetCommand } from "@aws-sdk/lib-dynamodb";'],
    ["the marshaller", 'import { marshall } from "@aws-sdk/util-dynamodb"; marshall({});'],
  ])("rejects %s of DynamoDB elsewhere", (_, source) => {
    for (const path of [
      "lib/work/a.ts",
      "functions/gateway/a.ts",
      "scripts/a.ts",
      "cli/a.ts",
      "lib/platform/aws/b.ts",
    ]) {
      expect(found({ [path]: source })).toEqual([expect.stringContaining(`${path} imports @aws-sdk/`)]);
    }
  });

  it.each([
    ["a key", "const key = { pk: x, sk: y };", "attribute pk"],
    ["a key in quotes", 'const key = { "gsi1pk": x };', "attribute gsi1pk"],
    ["a prefix", "const partition = `TASK#a`;", "prefix TASK#"],
    ["a prefix of an index", 'const partition = "OPEN_DELIVERIES#" + shard;', "prefix OPEN_DELIVERIES#"],
  ])("rejects %s that is spelled elsewhere", (_, source, what) => {
    expect(found({ "lib/work/a.ts": source })).toEqual([expect.stringContaining(what)]);
  });

  it("rejects a command where clients are made", () => {
    const source = 'import { GetCommand } from "@aws-sdk/lib-dynamodb"; new GetCommand({});';
    expect(found({ "lib/platform/aws/clients.ts": source })).toEqual([
      "lib/platform/aws/clients.ts makes clients and sends nothing.",
    ]);
  });
});
