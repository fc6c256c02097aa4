import { describe, expect, it } from "vitest";
import { type WireItem, writeUnits } from "./write-units.ts";

const KEY = { pk: { S: "p" }, sk: { S: "s" } };
/** With its keys and the name of the attribute, `kilobytes` are begun, and no more. */
const sized = (kilobytes: number, more: WireItem = {}): WireItem => ({
  ...KEY,
  ...more,
  text: { S: "x".repeat(1024 * kilobytes - 200) },
});
const BY_TENANT = { gsi1pk: { S: "t" }, gsi1sk: { S: "1" } };
const OPEN = { gsi2pk: { S: "o" }, gsi2sk: { S: "1" } };

describe("the write units of a write", () => {
  it.each<
    [string, WireItem | undefined, WireItem | undefined, [table: number, by_tenant: number, open: number]]
  >([
    ["a new item in no index", undefined, sized(1), [1, 0, 0]],
    ["a larger item", sized(1), sized(3), [3, 0, 0]],
    ["a smaller item", sized(3), sized(1), [3, 0, 0]],
    ["a deleted item", sized(2), undefined, [2, 0, 0]],
    ["a delete of nothing", undefined, undefined, [1, 0, 0]],
    ["an item that enters both indexes", undefined, sized(4, { ...BY_TENANT, ...OPEN }), [4, 4, 1]],
    [
      "an item that changes in place",
      sized(2, { ...BY_TENANT, ...OPEN }),
      sized(4, { ...BY_TENANT, ...OPEN }),
      [4, 4, 0],
    ],
    [
      "an item whose place in an index of keys changes",
      sized(4, { ...BY_TENANT, ...OPEN }),
      sized(4, { ...BY_TENANT, ...OPEN, gsi2sk: { S: "2" } }),
      [4, 4, 2],
    ],
    [
      "an item that moves in the index of all",
      sized(2, BY_TENANT),
      sized(2, { ...BY_TENANT, gsi1sk: { S: "2" } }),
      [2, 4, 0],
    ],
    ["an item that leaves an index", sized(2, { ...BY_TENANT, ...OPEN }), sized(2, BY_TENANT), [2, 2, 1]],
    ["an item with half of an index's key", undefined, sized(1, { gsi2pk: { S: "o" } }), [1, 0, 0]],
    ["a write that changes nothing", sized(2, BY_TENANT), sized(2, BY_TENANT), [2, 0, 0]],
  ])("of %s", (_name, before, after, [table, by_tenant, open_tasks]) => {
    expect(writeUnits(before, after)).toEqual({ table, by_tenant, open_tasks });
  });

  it.each<[string, Record<string, unknown>, number]>([
    ["a text of 1019 bytes", { S: "x".repeat(1019) }, 1],
    ["a text of 1020 bytes", { S: "x".repeat(1020) }, 2],
    ["a text of 510 characters of two bytes", { S: "ä".repeat(510) }, 2],
    ["1019 bytes", { B: Buffer.alloc(1019).toString("base64") }, 1],
    ["1020 bytes", { B: Buffer.alloc(1020).toString("base64") }, 2],
    ["a list of 508 nulls", { L: Array.from({ length: 508 }, () => ({ NULL: true })) }, 1],
    ["a list of 509 nulls", { L: Array.from({ length: 509 }, () => ({ NULL: true })) }, 2],
    ["a map", { M: { a: { S: "x".repeat(1020) } } }, 2],
    ["a set of texts", { SS: ["x".repeat(1000), "y".repeat(20)] }, 2],
    ["a number", { N: "-12345.678" }, 1],
  ])("count the size of %s as DynamoDB does", (_name, value, units) => {
    // The names `pk`, `sk` and `v` are 5 bytes, and the empty keys none.
    const item = { pk: { S: "" }, sk: { S: "" }, v: value };
    expect(writeUnits(undefined, item).table).toBe(units);
  });
});
