import { describe, expect, it } from "vitest";
import { attributesOf, indexed, items, mergedByKeys, queues } from "./statement.ts";

describe("statements that differ in their partition keys only", () => {
  it("become one with all of these", () => {
    const merged = mergedByKeys([
      items(["A#*"], ["Query"]),
      items(["B"], ["Query"]),
      items(["A#*"], ["Query"]),
    ]);
    expect(merged).toEqual([items(["A#*", "B"], ["Query"])]);
  });

  it("stay apart where they allow other actions, another index or other attributes", () => {
    const apart = [
      items(["A"], ["Query"]),
      items(["A"], ["PutItem"]),
      indexed("by_tenant", ["A"]),
      attributesOf(["A"], ["UpdateItem"], ["pk", "sk"]),
      attributesOf(["B"], ["UpdateItem"], ["pk", "sk", "x"]),
      queues(["Queue"], ["SendMessage"]),
    ];
    expect(mergedByKeys(apart)).toEqual(apart);
  });
});
