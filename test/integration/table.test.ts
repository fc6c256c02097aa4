import type { DynamoDBDocumentClient } from "@aws-sdk/lib-dynamodb";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { additions, assignments, removals } from "#lib/platform/table/expressions.ts";
import { COUNTS, TASK, WEBHOOK } from "#lib/platform/table/items.ts";
import { keyOf, listingOf, partitionOf } from "#lib/platform/table/keys.ts";
import {
  deleteIf,
  deleteItem,
  getItem,
  NEW,
  putIf,
  putIfOurs,
  putItem,
  type TablePorts,
  updateIf,
  updateItem,
} from "#lib/platform/table/operations.ts";
import { queryAll, queryOverdue, queryPages } from "#lib/platform/table/queries.ts";
import { realTable } from "../fakes/real-table.ts";

let store: Awaited<ReturnType<typeof realTable>>;
beforeAll(async () => {
  store = await realTable();
});
afterAll(() => store.close());

let webhooks = 0;
const newKey = (tenant = "acme") => {
  webhooks += 1;
  return keyOf(WEBHOOK, { tenant, webhook_id: String(webhooks).padStart(4, "0") });
};

/** The table as the SDK shows it whose first answer to every write is lost: it sends the write again. */
function answerLost({ table, table_name }: TablePorts): TablePorts {
  const send = async (command: { constructor: { name: string } }) => {
    if (/Put|Update|Delete/.test(command.constructor.name)) await table.send(command as never);
    return table.send(command as never);
  };
  return { table: { send } as unknown as DynamoDBDocumentClient, table_name };
}

describe("a write on a condition", () => {
  it("that does not hold is an answer, and changes nothing", async () => {
    const key = newKey();
    expect(await putIf({ ...key, a: 1 }, NEW, store)).toBe(true);
    expect(await putIf({ ...key, a: 2 }, NEW, store)).toBe(false);
    const is_two = { condition: "a = :two", values: { two: 2 } };
    expect(await updateIf(key, { update: "SET b = :two", ...is_two }, store)).toBeUndefined();
    expect(await deleteIf(key, is_two, store)).toBe(false);
    expect(await getItem(key, store)).toEqual({ ...key, a: 1 });
  });

  it("that holds gives what was asked for, at least an empty answer", async () => {
    const key = newKey();
    const write = { update: "SET a = :one", ...NEW, values: { one: 1 } };
    expect(await updateIf(key, write, store)).toEqual({});
    const again = { update: "SET a = :two", condition: "a = :one", values: { one: 1, two: 2 } };
    expect(await updateIf(key, { ...again, returns: "ALL_NEW" }, store)).toEqual({ ...key, a: 2 });
    expect(await deleteIf(key, { condition: "attribute_exists(pk)" }, store)).toBe(true);
    expect(await getItem(key, store)).toBeUndefined();
  });

  it("passes every other error on", async () => {
    const wrong = { condition: "a = :missing" };
    await expect(putIf(newKey(), wrong, store)).rejects.toThrow();
    await expect(updateIf(newKey(), { update: "SET a = :missing", ...NEW }, store)).rejects.toThrow();
    await expect(deleteIf(newKey(), wrong, store)).rejects.toThrow();
  });
});

describe("a write of ours that was sent twice because its answer was lost", () => {
  it("counts as written, also with fields that are undefined or nested", async () => {
    const item = { ...newKey(), a: undefined, b: { c: undefined, d: [{ e: undefined, f: 1 }] } };
    expect(await putIfOurs(item, NEW, answerLost(store))).toEqual({ written: true });
    const next = { ...item, version: 2 };
    const first_version = { condition: "attribute_not_exists(version)" };
    expect(await putIfOurs(next, first_version, answerLost(store))).toEqual({ written: true });
  });

  it("is told from another's, whose item is given back", async () => {
    const key = newKey();
    await putItem({ ...key, owner: "another" }, store);
    expect(await putIfOurs({ ...key, owner: "us" }, NEW, answerLost(store))).toEqual({
      written: false,
      found: { ...key, owner: "another" },
    });
  });

  it("is refused with nothing found when what stood in its way is gone", async () => {
    const key = newKey();
    const there = { condition: "attribute_exists(pk)" };
    expect(await putIfOurs(key, there, store)).toEqual({ written: false, found: undefined });
  });
});

describe("an update", () => {
  it("takes reserved words and columns with any name", async () => {
    const key = keyOf(COUNTS, {
      tenant: "acme",
      block: "2026-01-31T12:05",
      minute: "2026-01-31T12:07",
      service: "a",
      role: "b",
      shard: "c",
      slot: 0,
    });
    const reserved = assignments({ status: "x", owner: "y", key: 1 });
    const added = additions([
      ["tasks|acme", 2],
      ["tasks|a.b c", 3],
    ]);
    const write = {
      update: `SET ${reserved.expression} ADD ${added.expression}`,
      names: added.names,
      values: { ...reserved.values, ...added.values },
      returns: "ALL_NEW",
    } as const;
    await updateItem(key, write, store);
    const kept = { status: "x", owner: "y", key: 1, "tasks|acme": 4, "tasks|a.b c": 6 };
    expect(await updateItem(key, write, store)).toEqual({ ...key, ...kept });
    const removed = removals(["tasks|acme"]);
    await updateItem(key, { update: `REMOVE ${removed.expression}`, names: removed.names }, store);
    expect(await getItem(key, store, { attributes: ["pk"] })).toEqual({ pk: key.pk });
    expect(await getItem(key, store)).not.toHaveProperty(["tasks|acme"]);
  });

  it("keeps what is there where it writes only what is absent", async () => {
    const key = newKey();
    for (const a of [1, 2]) {
      const { expression, values } = assignments({ a }, "if absent");
      await updateItem(key, { update: `SET ${expression}`, values }, store);
    }
    expect(await getItem(key, store)).toMatchObject({ a: 1 });
  });
});

describe("a query", () => {
  it("gives a partition whole, whatever its pages, forwards and backwards", async () => {
    const keys = Array.from({ length: 7 }, () => newKey("paged"));
    for (const key of keys) await putItem({ ...key, a: 1 }, store);
    const partition = partitionOf(WEBHOOK, { tenant: "paged" });
    const wanted = keys.map(({ sk }) => ({ sk }));
    const options = { items_max: 3, consistent: true, attributes: ["sk"] };
    expect(await queryAll(partition, options, store)).toEqual(wanted);
    expect(await queryAll(partition, { ...options, backwards: true }, store)).toEqual(wanted.toReversed());
    for await (const { items, last } of queryPages(partition, options, store)) {
      expect([items.length, last?.sk]).toEqual([3, keys[2]?.sk]);
      break; // asks for no more than is read
    }
    for (const key of keys) await deleteItem(key, store);
    expect(await queryAll(partition, options, store)).toEqual([]);
  });

  it("finds what is overdue in every shard, and nothing that is not", async () => {
    for (let shard = 0; shard < 8; shard += 1) {
      for (const check_at of ["2026-01-01", "2026-01-02", "2026-01-03"]) {
        const key = keyOf(TASK, { tenant: "t", task_id: `${shard} ${check_at}` });
        await putItem({ ...key, ...listingOf(TASK, "open_tasks", { shard, check_at }) }, store);
      }
    }
    const due = await queryOverdue(TASK, "2026-01-02", 400, store);
    expect(due.map(({ gsi2sk }) => gsi2sk).sort()).toEqual([
      ...Array.from({ length: 8 }, () => "2026-01-01"),
      ...Array.from({ length: 8 }, () => "2026-01-02"),
    ]);
    const limited = await queryOverdue(TASK, "2026-01-02", 8, store);
    expect(limited.map(({ gsi2sk }) => gsi2sk)).toEqual(Array.from({ length: 8 }, () => "2026-01-01"));
  });
});
