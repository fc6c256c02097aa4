import { randomUUID } from "node:crypto";
import type { ReturnValue } from "@aws-sdk/client-dynamodb";
import { GetCommand, PutCommand, UpdateCommand, type UpdateCommandInput } from "@aws-sdk/lib-dynamodb";
import { describe } from "vitest";
import { contract } from "../contract.ts";
import { outcome } from "../outcome.ts";
import type { TableWorld } from "../targets/worlds.ts";
import { dynamodb_differences } from "./differences.ts";

const semantic = contract("dynamodb");
const WRITERS = 20;

type Update = Partial<UpdateCommandInput>;
const newKey = () => ({ pk: randomUUID(), sk: "ITEM" });
const update = async ({ table, table_name }: TableWorld, Key: object, input: Update) =>
  (await table.send(new UpdateCommand({ TableName: table_name, Key: Key as never, ...input }))).Attributes;
const put = ({ table, table_name }: TableWorld, Item: object) =>
  table.send(new PutCommand({ TableName: table_name, Item: Item as never }));

/** The item without its key. */
async function left({ table, table_name }: TableWorld, Key: object) {
  const found = await table.send(
    new GetCommand({ TableName: table_name, Key: Key as never, ConsistentRead: true }),
  );
  const { pk: _pk, sk: _sk, ...fields } = found.Item ?? {};
  return fields;
}

describe("an update", () => {
  semantic("makes the item that is not there", {
    relied_on_by: [
      "lib/platform/metrics/count-store.ts",
      "lib/platform/metrics/add-up-counts.ts",
      "lib/resilience/circuit/circuit-table.ts",
      "lib/http/auth/failed-attempts.ts",
    ],
    async observe(world) {
      const Key = newKey();
      await update(world, Key, { UpdateExpression: "SET a = :a", ExpressionAttributeValues: { ":a": 1 } });
      return left(world, Key);
    },
    aws: { a: 1 },
  });

  semantic("gives the item as it was, as it is, or what it set, as it is asked", {
    relied_on_by: [
      "lib/resilience/rate-limit/bucket-table.ts",
      "lib/resilience/idempotency/claim.ts",
      "lib/http/auth/failed-attempts.ts",
    ],
    async observe(world) {
      const given = async (ReturnValues: ReturnValue, known: boolean) => {
        const Key = newKey();
        if (known) await put(world, { ...Key, a: 1, kept: true });
        const values = { ExpressionAttributeValues: { ":a": 2 } };
        const {
          pk: _pk,
          sk: _sk,
          ...fields
        } = (await update(world, Key, { UpdateExpression: "SET a = :a", ReturnValues, ...values })) ?? {};
        return fields;
      };
      return {
        ALL_OLD: await given("ALL_OLD", true),
        ALL_OLD_of_none: await given("ALL_OLD", false),
        ALL_NEW: await given("ALL_NEW", true),
        UPDATED_NEW: await given("UPDATED_NEW", true),
        NONE: await given("NONE", true),
      };
    },
    aws: {
      ALL_OLD: { a: 1, kept: true },
      ALL_OLD_of_none: {},
      ALL_NEW: { a: 2, kept: true },
      UPDATED_NEW: { a: 2 },
      NONE: {},
    },
  });

  semantic("adds numbers from 0, and loses none of many at once", {
    relied_on_by: [
      "lib/platform/metrics/count-store.ts",
      "lib/platform/metrics/add-up-counts.ts",
      "lib/resilience/circuit/circuit-table.ts",
      "lib/http/auth/failed-attempts.ts",
      "lib/resilience/spending/model-spending.ts",
    ],
    async observe(world) {
      const Key = newKey();
      const add = {
        UpdateExpression: "ADD #calls :one, #bytes :bytes",
        ExpressionAttributeNames: { "#calls": "calls|acme", "#bytes": "bytes|acme" },
        ExpressionAttributeValues: { ":one": 1, ":bytes": 1000 },
      };
      await Promise.all(Array.from({ length: WRITERS }, () => update(world, Key, add)));
      return left(world, Key);
    },
    aws: { "calls|acme": WRITERS, "bytes|acme": WRITERS * 1000 },
  });

  semantic("counts by if_not_exists(field, zero) + one, and loses none of many at once", {
    relied_on_by: ["lib/resilience/idempotency/claim.ts", "lib/resilience/circuit/circuit-table.ts"],
    async observe(world) {
      const Key = newKey();
      const count = {
        UpdateExpression: "SET fence = if_not_exists(fence, :zero) + :one, made = if_not_exists(made, :one)",
        ExpressionAttributeValues: { ":zero": 0, ":one": 1 },
      };
      await Promise.all(Array.from({ length: WRITERS }, () => update(world, Key, count)));
      return left(world, Key);
    },
    aws: { fence: WRITERS, made: 1 },
  });

  semantic("takes every value from the item as it was before", {
    relied_on_by: ["lib/resilience/idempotency/claim.ts", "lib/resilience/rate-limit/bucket-table.ts"],
    async observe(world) {
      const Key = newKey();
      await put(world, { ...Key, a: 1, b: 2 });
      await update(world, Key, { UpdateExpression: "SET a = b, b = a, c = if_not_exists(c, a)" });
      return left(world, Key);
    },
    aws: { a: 2, b: 1, c: 1 },
  });

  semantic("appends to a list that may not be there, and takes out its last entry", {
    relied_on_by: ["lib/resilience/idempotency/step-claims.ts"],
    async observe(world) {
      const Key = newKey();
      const append = (entry: string) =>
        update(world, Key, {
          UpdateExpression: "SET history = list_append(if_not_exists(history, :none), :entry)",
          ExpressionAttributeValues: { ":none": [], ":entry": [{ entry }] },
        });
      for (const entry of ["a", "b", "c"]) await append(entry);
      await update(world, Key, { UpdateExpression: "REMOVE history[2], history[7], never" });
      return left(world, Key);
    },
    aws: { history: [{ entry: "a" }, { entry: "b" }] },
  });

  semantic("is refused whole when it counts on a field that is not there, or lacks a name or value", {
    relied_on_by: ["lib/resilience/idempotency/claim.ts", "lib/resilience/rate-limit/bucket-table.ts"],
    async observe(world) {
      const Key = newKey();
      await put(world, { ...Key, a: 1 });
      const values = { ExpressionAttributeValues: { ":one": 1 } };
      const tried = async (input: Update) => outcome(update(world, Key, input));
      return {
        uncounted: await tried({ UpdateExpression: "SET a = :one, b = b + :one", ...values }),
        valueless: await tried({ UpdateExpression: "SET a = :two", ...values }),
        unused: await tried({
          UpdateExpression: "SET a = :two",
          ExpressionAttributeValues: { ":one": 1, ":two": 2 },
        }),
        overlapping: await tried({ UpdateExpression: "SET a = :one REMOVE a", ...values }),
        left: await left(world, Key),
      };
    },
    aws: {
      uncounted: "ValidationException",
      valueless: "ValidationException",
      unused: "ValidationException",
      overlapping: "ValidationException",
      left: { a: 1 },
    },
    differs: [dynamodb_differences.overlapping_paths],
  });

  semantic("takes reserved words as names only behind #", {
    relied_on_by: ["lib/resilience/idempotency/claim.ts", "lib/resilience/circuit/circuit-table.ts"],
    async observe(world) {
      const bare = (name: string) =>
        outcome(
          update(world, newKey(), {
            UpdateExpression: `SET ${name} = :one`,
            ExpressionAttributeValues: { ":one": 1 },
          }),
        );
      return Promise.all(["status", "owner", "key", "fence", "version", "tenant"].map(bare));
    },
    aws: ["ValidationException", "ValidationException", "ValidationException", "done", "done", "done"],
    differs: [dynamodb_differences.reserved_words],
  });

  semantic("takes 120 columns to add and 120 to remove, and expressions up to 4 KB", {
    relied_on_by: [
      "lib/resilience/circuit/circuit-table.ts",
      "lib/platform/metrics/count-store.ts",
      "lib/platform/metrics/add-up-counts.ts",
    ],
    async observe(world) {
      const Key = newKey();
      const columns = Array.from({ length: 120 }, (_, index) => index);
      const names = columns.flatMap((n) => [
        [`#a${n}`, `${n}|in`],
        [`#r${n}`, `${n}|over`],
      ]);
      await update(world, Key, {
        UpdateExpression: `ADD ${columns.map((n) => `#a${n} :a${n}`).join(", ")}
          REMOVE ${columns.map((n) => `#r${n}`).join(", ")}`,
        ExpressionAttributeNames: Object.fromEntries(names),
        ExpressionAttributeValues: Object.fromEntries(columns.map((n) => [`:a${n}`, n])),
      });
      const value = `:${"v".repeat(200)}`;
      const sized = (characters: number) => {
        const start = `SET a = ${value}`;
        const rest = `, b = ${value}`;
        return `${start}${rest}${" ".repeat(characters - start.length - rest.length)}`;
      };
      const long = (characters: number) =>
        outcome(
          update(world, newKey(), {
            UpdateExpression: sized(characters),
            ExpressionAttributeValues: { [value]: 1 },
          }),
        );
      return {
        columns: Object.keys(await left(world, Key)).length,
        at_4096: await long(4096),
        at_4097: await long(4097),
      };
    },
    aws: { columns: 120, at_4096: "done", at_4097: "ValidationException" },
    differs: [dynamodb_differences.expression_bytes],
  });
});
