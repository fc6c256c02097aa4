import { randomUUID } from "node:crypto";
import { GetItemCommand, PutItemCommand, UpdateItemCommand } from "@aws-sdk/client-dynamodb";
import { GetCommand, PutCommand, UpdateCommand } from "@aws-sdk/lib-dynamodb";
import { describe } from "vitest";
import { contract } from "../contract.ts";
import { outcome } from "../outcome.ts";
import type { TableWorld } from "../targets/worlds.ts";
import { dynamodb_differences } from "./differences.ts";

const semantic = contract("dynamodb");
const newKey = () => ({ pk: randomUUID(), sk: "ITEM" });
const put = ({ table, table_name }: TableWorld, Item: object) =>
  table.send(new PutCommand({ TableName: table_name, Item: Item as never }));

async function kept(world: TableWorld, fields: object) {
  const Key = newKey();
  await put(world, { ...Key, ...fields });
  const { table, table_name } = world;
  const found = await table.send(new GetCommand({ TableName: table_name, Key, ConsistentRead: true }));
  const { pk: _pk, sk: _sk, ...left } = found.Item ?? {};
  return left;
}

async function sum({ table, table_name }: TableWorld, a: number, b: number) {
  const Key = newKey();
  for (const amount of [a, b]) {
    await table.send(
      new UpdateCommand({
        TableName: table_name,
        Key,
        UpdateExpression: "ADD counted :amount",
        ExpressionAttributeValues: { ":amount": amount },
      }),
    );
  }
  return (await table.send(new GetCommand({ TableName: table_name, Key }))).Item?.counted;
}

describe("a value", () => {
  semantic("of JavaScript comes back as it was, whole numbers up to 2^53 and fractions included", {
    relied_on_by: [
      "lib/resilience/rate-limit/bucket-table.ts",
      "lib/resilience/circuit/circuit-table.ts",
      "lib/work/tasks/task-store.ts",
    ],
    observe: (world) =>
      kept(world, {
        largest: Number.MAX_SAFE_INTEGER,
        smallest: Number.MIN_SAFE_INTEGER,
        microseconds: 1_790_000_000_000_123,
        fraction: 0.1 + 0.2,
        tiny: 1e-7,
        text: "ü\u0000\u{1f600}",
        nothing: null,
        no: false,
        nested: { list: [1, "a", { b: [] }], map: {} },
        left_out: undefined,
      }),
    aws: {
      largest: Number.MAX_SAFE_INTEGER,
      smallest: Number.MIN_SAFE_INTEGER,
      microseconds: 1_790_000_000_000_123,
      fraction: 0.1 + 0.2,
      tiny: 1e-7,
      text: "ü\u0000\u{1f600}",
      nothing: null,
      no: false,
      nested: { list: [1, "a", { b: [] }], map: {} },
    },
  });

  semantic("that is a number is added in decimals: 0.1 + 0.2 is 0.3", {
    relied_on_by: ["lib/resilience/circuit/circuit-table.ts", "lib/resilience/rate-limit/bucket-table.ts"],
    observe: (world) => sum(world, 0.1, 0.2),
    aws: 0.3,
    differs: [dynamodb_differences.decimals],
  });

  semantic("that is a number has 38 digits; one more is refused", {
    relied_on_by: ["lib/resilience/rate-limit/bucket-table.ts"],
    async observe({ client, table_name: TableName }) {
      const number = async (N: string) => {
        const Key = { pk: { S: randomUUID() }, sk: { S: "ITEM" } };
        const written = await outcome(
          client.send(new PutItemCommand({ TableName, Item: { ...Key, n: { N } } })),
        );
        if (written !== "done") return written;
        return (await client.send(new GetItemCommand({ TableName, Key }))).Item?.n?.N;
      };
      return [await number("9".repeat(38)), await number("9".repeat(39)), await number("1e126")];
    },
    aws: ["9".repeat(38), "ValidationException", "ValidationException"],
    differs: [dynamodb_differences.unknown_commands, dynamodb_differences.number_digits],
  });

  semantic("may be an empty text, list or map", {
    relied_on_by: ["lib/agents/dlq/failure-store.ts", "lib/platform/trace/task-spans.ts"],
    observe: (world) => kept(world, { text: "", list: [], map: {} }),
    aws: { text: "", list: [], map: {} },
  });

  semantic("is no empty set, for which the code uses lists", {
    relied_on_by: ["lib/resilience/idempotency/step-claims.ts"],
    observe: ({ client, table_name }) =>
      outcome(
        client.send(
          new PutItemCommand({
            TableName: table_name,
            Item: { pk: { S: randomUUID() }, sk: { S: "ITEM" }, set: { SS: [] } },
          }),
        ),
      ),
    aws: "ValidationException",
    differs: [dynamodb_differences.unknown_commands],
  });

  semantic("of a key, of the table or an index, is a text that is not empty", {
    relied_on_by: ["lib/work/tasks/task-store.ts", "lib/code/graph/snapshot-pointers.ts"],
    async observe(world) {
      const tried = (fields: object) => outcome(put(world, { ...newKey(), ...fields }));
      return {
        empty_key: await tried({ sk: "" }),
        number_key: await tried({ sk: 1 }),
        empty_index_key: await tried({ gsi1pk: "", gsi1sk: "a" }),
        number_index_key: await tried({ gsi1pk: "a", gsi1sk: 1 }),
        half_an_index_key: await tried({ gsi1pk: "a" }),
      };
    },
    aws: {
      empty_key: "ValidationException",
      number_key: "ValidationException",
      empty_index_key: "ValidationException",
      number_index_key: "ValidationException",
      half_an_index_key: "done",
    },
    differs: [dynamodb_differences.index_keys],
  });

  semantic("of a key has up to 2,048 bytes in the partition key and 1,024 in the sort key", {
    relied_on_by: [
      "lib/platform/table/keys.ts",
      "lib/code/graph/snapshot-pointers.ts",
      "lib/resilience/circuit/circuit-table.ts",
    ],
    async observe(world) {
      const tried = (pk_bytes: number, sk_bytes: number) =>
        outcome(put(world, { pk: randomUUID().padEnd(pk_bytes, "p"), sk: "s".repeat(sk_bytes) }));
      return [await tried(2048, 1024), await tried(2049, 1), await tried(36, 1025)];
    },
    aws: ["done", "ValidationException", "ValidationException"],
    differs: [dynamodb_differences.key_bytes],
  });

  semantic("makes an item of up to 400 KB, whether it is put or grown", {
    relied_on_by: [
      "lib/platform/trace/task-spans.ts",
      "lib/agents/dlq/failure-store.ts",
      "lib/resilience/idempotency/once-record.ts",
    ],
    async observe(world) {
      const key_bytes = "pk".length + 36 + "sk".length + "ITEM".length + "text".length;
      const text = (bytes: number) => "t".repeat(bytes - key_bytes);
      const grow = async () => {
        const Key = newKey();
        await put(world, { ...Key, text: text(300_000) });
        await world.client.send(
          new UpdateItemCommand({
            TableName: world.table_name,
            Key: { pk: { S: Key.pk }, sk: { S: Key.sk } },
            UpdateExpression: "SET more = :more",
            ExpressionAttributeValues: { ":more": { S: "m".repeat(150_000) } },
          }),
        );
      };
      return {
        at_the_limit: await outcome(put(world, { ...newKey(), text: text(400 * 1024) })),
        one_more: await outcome(put(world, { ...newKey(), text: text(400 * 1024 + 1) })),
        grown: await outcome(grow()),
      };
    },
    aws: { at_the_limit: "done", one_more: "ValidationException", grown: "ValidationException" },
    differs: [dynamodb_differences.unknown_commands, dynamodb_differences.item_bytes],
  });
});
