import { randomUUID } from "node:crypto";
import { ConditionalCheckFailedException } from "@aws-sdk/client-dynamodb";
import { DeleteCommand, GetCommand, PutCommand, UpdateCommand } from "@aws-sdk/lib-dynamodb";
import { describe } from "vitest";
import { contract } from "../contract.ts";
import { outcome } from "../outcome.ts";
import type { TableWorld } from "../targets/worlds.ts";
import { dynamodb_differences } from "./differences.ts";

const semantic = contract("dynamodb");
const RACERS = 20;

const newKey = () => ({ pk: randomUUID(), sk: "STEP" });
const put = ({ table, table_name }: TableWorld, Item: object, condition: object = {}) =>
  table.send(new PutCommand({ TableName: table_name, Item: Item as never, ...condition }));
const get = async ({ table, table_name }: TableWorld, Key: object) =>
  (await table.send(new GetCommand({ TableName: table_name, Key: Key as never, ConsistentRead: true }))).Item;
const remove = ({ table, table_name }: TableWorld, Key: object, condition: object = {}) =>
  table.send(new DeleteCommand({ TableName: table_name, Key: Key as never, ...condition }));

/** The claim of lib/resilience/idempotency: new, or waiting and due, or running with its lease over. */
const claim = ({ table, table_name }: TableWorld, Key: object, owner: string, now: number) =>
  table.send(
    new UpdateCommand({
      TableName: table_name,
      Key: Key as never,
      UpdateExpression: `SET #status = :running, #owner = :owner, fence = if_not_exists(fence, :zero) + :one,
        lease_expires_at = :until REMOVE retry_at`,
      ConditionExpression: `attribute_not_exists(pk) OR fence < :fences_max AND
        (#status = :waiting AND retry_at <= :now OR #status = :running AND lease_expires_at < :now)`,
      ExpressionAttributeNames: { "#status": "status", "#owner": "owner" },
      ExpressionAttributeValues: {
        ":running": "running",
        ":waiting": "waiting",
        ":owner": owner,
        ":zero": 0,
        ":one": 1,
        ":fences_max": 3,
        ":now": now,
        ":until": now + 10,
      },
      ReturnValues: "ALL_NEW",
    }),
  );

async function race(claims: Promise<unknown>[]) {
  const results = await Promise.all(claims.map(outcome));
  return {
    won: results.filter((result) => result === "done").length,
    refused: results.filter((result) => result === "ConditionalCheckFailedException").length,
  };
}

describe("a conditional write", () => {
  semantic("is won by one of many that claim a new item at once", {
    relied_on_by: [
      "lib/resilience/idempotency/claim.ts",
      "lib/work/tasks/task-store.ts",
      "lib/work/webhooks/delivery-store.ts",
      "lib/work/observation/alert-store.ts",
      "scripts/backup/restore.ts",
    ],
    async observe(world) {
      const Key = newKey();
      const raced = await race(Array.from({ length: RACERS }, (_, n) => claim(world, Key, `${n}`, 100)));
      return { ...raced, fence: (await get(world, Key))?.fence };
    },
    aws: { won: 1, refused: RACERS - 1, fence: 1 },
  });

  semantic("is won by one of many that take over a lease that is over", {
    relied_on_by: ["lib/resilience/idempotency/claim.ts"],
    async observe(world) {
      const Key = newKey();
      await claim(world, Key, "first", 100);
      const early = await race([claim(world, Key, "early", 110)]);
      const raced = await race(Array.from({ length: RACERS }, (_, n) => claim(world, Key, `${n}`, 111)));
      return { early, ...raced, fence: (await get(world, Key))?.fence };
    },
    aws: { early: { won: 0, refused: 1 }, won: 1, refused: RACERS - 1, fence: 2 },
  });

  semantic("binds AND before OR", {
    relied_on_by: ["lib/resilience/idempotency/claim.ts"],
    async observe(world) {
      const Key = newKey();
      for (const now of [100, 200, 300]) await claim(world, Key, `${now}`, now);
      return outcome(claim(world, Key, "spent", 400));
    },
    aws: "ConditionalCheckFailedException",
  });

  semantic("on owner and fence is refused to whoever lost them, and changes nothing", {
    relied_on_by: ["lib/resilience/idempotency/claim.ts"],
    async observe(world) {
      const Key = newKey();
      const complete = (owner: string, fence: number) =>
        world.table.send(
          new UpdateCommand({
            TableName: world.table_name,
            Key,
            UpdateExpression: "SET #status = :completed",
            ConditionExpression: "#owner = :owner AND fence = :fence AND #status = :running",
            ExpressionAttributeNames: { "#status": "status", "#owner": "owner" },
            ExpressionAttributeValues: {
              ":completed": "completed",
              ":running": "running",
              ":owner": owner,
              ":fence": fence,
            },
          }),
        );
      await claim(world, Key, "frozen", 100);
      await claim(world, Key, "next", 200);
      const refused = [await outcome(complete("frozen", 1)), await outcome(complete("frozen", 2))];
      const before = (await get(world, Key))?.status;
      return {
        refused,
        before,
        done: await outcome(complete("next", 2)),
        twice: await outcome(complete("next", 2)),
      };
    },
    aws: {
      refused: ["ConditionalCheckFailedException", "ConditionalCheckFailedException"],
      before: "running",
      done: "done",
      twice: "ConditionalCheckFailedException",
    },
  });

  semantic("on a version replaces the whole item, once", {
    relied_on_by: [
      "lib/work/tasks/task-store.ts",
      "lib/code/graph/snapshot-pointers.ts",
      "lib/work/webhooks/webhook-store.ts",
      "lib/agents/dlq/replay-job-store.ts",
    ],
    async observe(world) {
      const Key = newKey();
      await put(world, { ...Key, version: 1, open: true });
      const move = (owner: string) =>
        put(
          world,
          { ...Key, version: 2, owner },
          { ConditionExpression: "version = :one", ExpressionAttributeValues: { ":one": 1 } },
        );
      const raced = await race(Array.from({ length: RACERS }, (_, n) => move(`${n}`)));
      const { owner: _, ...left } = (await get(world, Key)) ?? {};
      return { ...raced, left: { ...left, pk: "" } };
    },
    aws: { won: 1, refused: RACERS - 1, left: { pk: "", sk: "STEP", version: 2 } },
  });

  semantic("is refused as ConditionalCheckFailedException, which the code knows by its class", {
    relied_on_by: [
      "lib/platform/table/operations.ts",
      "lib/resilience/idempotency/claim.ts",
      "lib/http/audit/record-audit.ts",
      "lib/http/auth/key-store.ts",
    ],
    async observe(world) {
      const Key = newKey();
      await put(world, Key);
      const second = put(world, Key, { ConditionExpression: "attribute_not_exists(pk)" });
      return second.catch((error) => error instanceof ConditionalCheckFailedException);
    },
    aws: true,
  });

  semantic("that is refused gives the item that stood in its way, where that is asked for", {
    relied_on_by: ["lib/resilience/idempotency/claim.ts", "lib/resilience/circuit/circuit-table.ts"],
    async observe(world) {
      const Key = newKey();
      await put(world, { ...Key, owner: "first" });
      const second = put(
        world,
        { ...Key, owner: "second" },
        { ConditionExpression: "attribute_not_exists(pk)", ReturnValuesOnConditionCheckFailure: "ALL_OLD" },
      );
      return second.catch((error) => error.Item?.owner?.S ?? error.Item?.owner ?? "no item");
    },
    aws: "first",
    differs: [dynamodb_differences.item_of_refusal],
  });

  semantic("on a missing attribute: comparisons do not hold, <> and NOT do", {
    relied_on_by: ["lib/agents/dlq/failure-store.ts", "lib/resilience/circuit/circuit-table.ts"],
    async observe(world) {
      const holds = async (ConditionExpression: string) => {
        const Key = newKey();
        await put(world, Key);
        const values = { ExpressionAttributeValues: { ":value": 1 } };
        return outcome(put(world, Key, { ConditionExpression, ...values }));
      };
      const found: Record<string, string> = {};
      for (const sign of ["=", "<", "<=", ">", ">=", "<>"]) found[sign] = await holds(`unset ${sign} :value`);
      found.NOT = await holds("NOT unset = :value");
      found.IN = await holds("unset IN (:value)");
      return Object.keys(found).filter((sign) => found[sign] === "done");
    },
    aws: ["<>", "NOT"],
  });

  semantic("deletes on its condition only; deleting what is not there is done", {
    relied_on_by: ["scripts/artifacts-clean/clean.ts"],
    async observe(world) {
      const Key = newKey();
      const on = (version: number) => ({
        ConditionExpression: "version = :version",
        ExpressionAttributeValues: { ":version": version },
      });
      await put(world, { ...Key, version: 2 });
      const outcomes = [await outcome(remove(world, Key, on(1))), await outcome(remove(world, Key, on(2)))];
      return [...outcomes, await outcome(remove(world, Key, on(2))), await outcome(remove(world, Key))];
    },
    aws: ["ConditionalCheckFailedException", "done", "ConditionalCheckFailedException", "done"],
    differs: [dynamodb_differences.unknown_commands],
  });

  semantic(
    "finds an item that is past its expires_at until DynamoDB deletes it, so the code looks at the time",
    {
      relied_on_by: [
        "lib/platform/table/retention.ts",
        "lib/resilience/idempotency/once-record.ts",
        "lib/agents/dlq/failure-store.ts",
      ],
      async observe(world) {
        const Key = newKey();
        await put(world, { ...Key, expires_at: 1 });
        const again = (now: number) =>
          put(
            world,
            { ...Key, expires_at: now + 100 },
            {
              ConditionExpression: "attribute_not_exists(pk) OR expires_at <= :now",
              ExpressionAttributeValues: { ":now": now },
            },
          );
        return {
          read: (await get(world, Key))?.expires_at,
          plain: await outcome(put(world, Key, { ConditionExpression: "attribute_not_exists(pk)" })),
          as_absent: await outcome(again(100)),
          while_valid: await outcome(again(150)),
        };
      },
      aws: {
        read: 1,
        plain: "ConditionalCheckFailedException",
        as_absent: "done",
        while_valid: "ConditionalCheckFailedException",
      },
    },
  );
});
