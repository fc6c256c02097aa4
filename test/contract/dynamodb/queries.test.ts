import { randomUUID } from "node:crypto";
import {
  DeleteCommand,
  GetCommand,
  PutCommand,
  QueryCommand,
  type QueryCommandInput,
  ScanCommand,
  type ScanCommandOutput,
} from "@aws-sdk/lib-dynamodb";
import { describe } from "vitest";
import { contract } from "../contract.ts";
import { outcome } from "../outcome.ts";
import type { TableWorld } from "../targets/worlds.ts";
import { dynamodb_differences } from "./differences.ts";

const semantic = contract("dynamodb");
type Item = Record<string, unknown>;

const put = ({ table, table_name }: TableWorld, Item: Item) =>
  table.send(new PutCommand({ TableName: table_name, Item }));
const query = ({ table, table_name }: TableWorld, input: Partial<QueryCommandInput>) =>
  table.send(new QueryCommand({ TableName: table_name, ...input }));

const partition = (pk: string): Partial<QueryCommandInput> => ({
  KeyConditionExpression: "pk = :pk",
  ExpressionAttributeValues: { ":pk": pk },
  ConsistentRead: true,
});
const inIndex = (gsi1pk: string): Partial<QueryCommandInput> => ({
  IndexName: "by_tenant",
  KeyConditionExpression: "gsi1pk = :pk",
  ExpressionAttributeValues: { ":pk": gsi1pk },
});

/** Sort keys page by page, until there is no LastEvaluatedKey. */
async function pages(world: TableWorld, input: Partial<QueryCommandInput>, name = "sk") {
  const found: unknown[][] = [];
  let ExclusiveStartKey: Item | undefined;
  do {
    const page = await query(world, { ...input, ExclusiveStartKey });
    found.push((page.Items ?? []).map((item) => item[name]));
    ExclusiveStartKey = page.LastEvaluatedKey;
  } while (ExclusiveStartKey);
  return found;
}

/** Waits until an index shows so many items of a partition. */
async function indexed(world: TableWorld, gsi1pk: string, items: number) {
  while ((await query(world, inIndex(gsi1pk))).Items?.length !== items) {}
}

describe("a scan", () => {
  semantic("sees every item that was written before, page by page", {
    relied_on_by: ["lib/platform/table/queries.ts", "scripts/backup/back-up.ts"],
    async observe(world) {
      const { table, table_name: TableName } = world;
      const pks = Array.from({ length: 5 }, () => randomUUID());
      for (const pk of pks) for (const sk of ["a", "b"]) await put(world, { pk, sk });
      const found: unknown[] = [];
      let ExclusiveStartKey: Item | undefined;
      do {
        const page: ScanCommandOutput = await table.send(
          new ScanCommand({ TableName, ConsistentRead: true, Limit: 3, ExclusiveStartKey }),
        );
        found.push(
          ...(page.Items ?? []).filter(({ pk }) => pks.includes(pk)).map(({ pk, sk }) => `${pk} ${sk}`),
        );
        ExclusiveStartKey = page.LastEvaluatedKey;
      } while (ExclusiveStartKey);
      return { items: found.length, different: new Set(found).size };
    },
    aws: { items: 10, different: 10 },
  });
});

describe("a query", () => {
  semantic("pages by Limit; a full last page still has a LastEvaluatedKey, and an empty one follows", {
    relied_on_by: [
      "lib/platform/table/queries.ts",
      "lib/platform/table/query-page.ts",
      "lib/resilience/circuit/circuit-table.ts",
      "lib/work/tasks/task-store.ts",
    ],
    async observe(world) {
      const pk = randomUUID();
      for (const sk of ["a", "b", "c", "d"]) await put(world, { pk, sk });
      return {
        of_two: await pages(world, { ...partition(pk), Limit: 2 }),
        of_three: await pages(world, { ...partition(pk), Limit: 3 }),
        none: await pages(world, { ...partition(randomUUID()), Limit: 2 }),
      };
    },
    aws: {
      of_two: [["a", "b"], ["c", "d"], []],
      of_three: [["a", "b", "c"], ["d"]],
      none: [[]],
    },
    differs: [dynamodb_differences.last_page],
  });

  semantic("gives sort keys in the order of their UTF-8 bytes, or backwards", {
    relied_on_by: ["lib/work/tasks/task-store.ts", "lib/platform/table/query-page.ts"],
    async observe(world) {
      const pk = randomUUID();
      for (const sk of ["b", "STEP#1", "a", "TASK", "\uff5e", "\u{1f600}", "STEP#0"])
        await put(world, { pk, sk });
      const [forwards] = await pages(world, partition(pk));
      const [backwards] = await pages(world, { ...partition(pk), ScanIndexForward: false });
      return { forwards, backwards: backwards?.toReversed() };
    },
    aws: {
      forwards: ["STEP#0", "STEP#1", "TASK", "a", "b", "\uff5e", "\u{1f600}"],
      backwards: ["STEP#0", "STEP#1", "TASK", "a", "b", "\uff5e", "\u{1f600}"],
    },
    differs: [dynamodb_differences.key_order],
  });

  semantic("goes on from a place whose item is gone, in the table and in an index", {
    relied_on_by: [
      "lib/platform/table/query-page.ts",
      "lib/agents/dlq/failure-lists.ts",
      "scripts/artifacts-clean/clean.ts",
    ],
    async observe(world) {
      const pk = randomUUID();
      for (const n of [1, 2, 3]) await put(world, { pk, sk: `${n}`, gsi1pk: pk, gsi1sk: `at ${n}` });
      await indexed(world, pk, 3);
      const place = { pk, sk: "1a" };
      const after = await query(world, { ...partition(pk), ExclusiveStartKey: place });
      const in_index = await query(world, {
        ...inIndex(pk),
        ExclusiveStartKey: { ...place, gsi1pk: pk, gsi1sk: "at 1a" },
      });
      return [after, in_index].map(({ Items = [] }) => Items.map(({ sk }) => sk));
    },
    aws: [
      ["2", "3"],
      ["2", "3"],
    ],
  });

  semantic("ends a page at 1 MB, in the table and in an index, and loses nothing between pages", {
    relied_on_by: [
      "lib/work/tasks/task-store.ts",
      "lib/work/tasks/count-tasks.ts",
      "lib/platform/trace/task-spans.ts",
      "lib/platform/metrics/count-store.ts",
      "lib/work/observation/read-backlog.ts",
    ],
    async observe(world) {
      const pk = randomUUID();
      const text = "t".repeat(300_000);
      for (let n = 0; n < 7; n += 1) await put(world, { pk, sk: `${n}`, gsi1pk: pk, gsi1sk: `${n}`, text });
      while ((await pages(world, inIndex(pk))).flat().length < 7) {}
      const seen = async (input: Partial<QueryCommandInput>) => {
        const found = await pages(world, input);
        return { more_than_one_page: found.length > 1, items: found.flat().join("") };
      };
      return { table: await seen(partition(pk)), index: await seen(inIndex(pk)) };
    },
    aws: {
      table: { more_than_one_page: true, items: "0123456" },
      index: { more_than_one_page: true, items: "0123456" },
    },
    differs: [dynamodb_differences.page_bytes],
  });

  semantic("takes a range of sort keys, both ends included, and refuses one that is upside down", {
    relied_on_by: [
      "lib/platform/table/time-range.ts",
      "lib/platform/table/query-page.ts",
      "lib/work/tasks/task-store.ts",
    ],
    async observe(world) {
      const pk = randomUUID();
      for (const sk of ["a", "b", "c", "d"]) await put(world, { pk, sk });
      const within = async (condition: string, values: Item) =>
        query(world, {
          KeyConditionExpression: `pk = :pk AND ${condition}`,
          ExpressionAttributeValues: { ":pk": pk, ...values },
        }).then(({ Items = [] }) => Items.map(({ sk }) => sk).join(""));
      return {
        between: await within("sk BETWEEN :from AND :to", { ":from": "b", ":to": "c" }),
        up_to: await within("sk <= :to", { ":to": "b" }),
        upside_down: await outcome(within("sk BETWEEN :from AND :to", { ":from": "c", ":to": "b" })),
      };
    },
    aws: { between: "bc", up_to: "ab", upside_down: "ValidationException" },
    differs: [dynamodb_differences.upside_down_range],
  });

  semantic("gives only the attributes it is asked for", {
    relied_on_by: ["scripts/artifacts-clean/clean.ts", "lib/platform/table/operations.ts"],
    async observe(world) {
      const pk = "p";
      await put(world, { pk, sk: "a", text: "t" });
      const { table, table_name: TableName } = world;
      const got = await table.send(
        new GetCommand({ TableName, Key: { pk, sk: "a" }, ProjectionExpression: "sk" }),
      );
      return [
        got.Item,
        ...((await query(world, { ...partition(pk), ProjectionExpression: "sk" })).Items ?? []),
      ];
    },
    aws: [{ sk: "a" }, { sk: "a" }],
    differs: [dynamodb_differences.projection],
  });

  semantic("and a get, strongly consistent, see every write that was answered before", {
    relied_on_by: [
      "lib/work/tasks/task-store.ts",
      "lib/resilience/idempotency/claim.ts",
      "lib/http/auth/key-store.ts",
      "lib/work/webhooks/webhook-store.ts",
      "lib/work/observation/alert-store.ts",
      "functions/replays/take-failure.ts",
      "lib/agents/dlq/replay-job-store.ts",
      "lib/agents/dlq/sweep-dead-letters.ts",
    ],
    async observe(world) {
      const pk = randomUUID();
      const { table, table_name: TableName } = world;
      const stale: number[] = [];
      for (let n = 0; n < 20; n += 1) {
        await put(world, { pk, sk: "a", n });
        const got = await table.send(
          new GetCommand({ TableName, Key: { pk, sk: "a" }, ConsistentRead: true }),
        );
        const found = await query(world, partition(pk));
        if (got.Item?.n !== n || found.Items?.[0]?.n !== n) stale.push(n);
      }
      return stale;
    },
    aws: [],
  });
});

describe("an index", () => {
  semantic("holds only items with both of its keys, and lets go of those that lose them", {
    relied_on_by: ["lib/work/tasks/task-store.ts", "lib/work/webhooks/delivery-store.ts"],
    async observe(world) {
      const pk = randomUUID();
      const open = { gsi2pk: pk, gsi2sk: "2026" };
      const listed = async () => {
        const input = { KeyConditionExpression: "gsi2pk = :pk", ExpressionAttributeValues: { ":pk": pk } };
        const { Items = [] } = await query(world, { IndexName: "open_tasks", ...input });
        return Items.map(({ sk }) => sk)
          .sort()
          .join("");
      };
      await put(world, { pk, sk: "a", ...open });
      await put(world, { pk, sk: "b" });
      await put(world, { pk, sk: "c", gsi2pk: pk });
      await put(world, { pk, sk: "d", ...open });
      while ((await listed()) !== "ad") {}
      await put(world, { pk, sk: "a" });
      while ((await listed()) !== "d") {}
      return "ad, then d";
    },
    aws: "ad, then d",
  });

  semantic("of keys gives nothing of an item but its keys", {
    relied_on_by: ["lib/work/tasks/task-store.ts", "lib/work/webhooks/delivery-store.ts"],
    async observe(world) {
      const pk = randomUUID();
      await put(world, { pk, sk: "a", gsi2pk: pk, gsi2sk: "2026", gsi1pk: pk, text: "t" });
      const input = { KeyConditionExpression: "gsi2pk = :pk", ExpressionAttributeValues: { ":pk": pk } };
      for (;;) {
        const { Items = [] } = await query(world, { IndexName: "open_tasks", ...input });
        if (Items[0]) return Object.keys(Items[0]).sort().join(" ");
      }
    },
    aws: "gsi2pk gsi2sk pk sk",
  });

  semantic("is refused a strongly consistent read", {
    relied_on_by: ["lib/platform/table/query-page.ts", "scripts/artifacts-clean/clean.ts"],
    observe: (world) => outcome(query(world, { ...inIndex(randomUUID()), ConsistentRead: true })),
    aws: "ValidationException",
    differs: [dynamodb_differences.index_reads],
  });

  semantic("may be behind the table", {
    relied_on_by: [
      "lib/work/tasks/task-store.ts",
      "lib/work/tasks/count-tasks.ts",
      "lib/platform/table/query-page.ts",
      "scripts/artifacts-clean/clean.ts",
    ],
    async observe(world) {
      const pk = randomUUID();
      let behind = 0;
      for (let n = 1; n <= 20; n += 1) {
        await put(world, { pk, sk: `${n}`, gsi1pk: pk, gsi1sk: `${n}` });
        if ((await query(world, inIndex(pk))).Items?.length !== n) behind += 1;
      }
      return behind > 0 ? "behind" : "at once";
    },
    aws: "behind",
    differs: [dynamodb_differences.index_lag],
  });

  semantic("no longer lists a deleted item", {
    relied_on_by: ["scripts/artifacts-clean/clean.ts", "lib/work/webhooks/webhook-store.ts"],
    async observe(world) {
      const pk = randomUUID();
      const { table, table_name: TableName } = world;
      await put(world, { pk, sk: "a", gsi1pk: pk, gsi1sk: "a" });
      await indexed(world, pk, 1);
      await table.send(new DeleteCommand({ TableName, Key: { pk, sk: "a" } }));
      await indexed(world, pk, 0);
      return "gone";
    },
    aws: "gone",
    differs: [dynamodb_differences.unknown_commands],
  });
});
