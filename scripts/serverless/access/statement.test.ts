import { describe, expect, it } from "vitest";
import { attributesOf, indexed, items, mergedByActions, mergedByKeys, queues } from "./statement.ts";

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

describe("statements for the same resources under the same conditions", () => {
  it("become one with the actions of all", () => {
    const merged = mergedByActions([
      queues(["Queue", "Other"], ["GetQueueAttributes"]),
      items(["A"], ["Query"]),
      queues(["Queue", "Other"], ["SendMessage", "GetQueueAttributes"]),
      queues(["Queue"], ["SendMessage"]),
      items(["B"], ["Query"]),
    ]);
    expect(merged).toEqual([
      queues(["Queue", "Other"], ["GetQueueAttributes", "SendMessage"]),
      items(["A"], ["Query"]),
      queues(["Queue"], ["SendMessage"]),
      items(["B"], ["Query"]),
    ]);
  });
});
