import { describe, expect, it } from "vitest";
import { batchResult } from "./batch-result.ts";

const ids = ["a", "b", "c"];
const all = { delivered: ids, failed: [] };

describe("batchResult", () => {
  it("takes nothing, null, an empty object and empty or null lists for success", () => {
    for (const answer of [undefined, null, {}, { batchItemFailures: [] }, { batchItemFailures: null }]) {
      expect(batchResult(answer, ids)).toEqual(all);
    }
  });

  it("keeps exactly the messages named as failed", () => {
    const answer = { batchItemFailures: [{ itemIdentifier: "b" }, { itemIdentifier: "b" }] };
    expect(batchResult(answer, ids)).toEqual({ delivered: ["a", "c"], failed: ["b"] });
  });

  it.each([
    ["an unknown id", { batchItemFailures: [{ itemIdentifier: "a" }, { itemIdentifier: "z" }] }],
    ["an empty id", { batchItemFailures: [{ itemIdentifier: "" }] }],
    ["a null id", { batchItemFailures: [{ itemIdentifier: null }] }],
    ["another key", { batchItemFailures: [{ id: "a" }] }],
    ["a null item", { batchItemFailures: [null] }],
    ["a list that is none", { batchItemFailures: "a" }],
    ["a string", "done"],
    ["an array", []],
  ])("fails the whole batch on %s, and says why", (_name, answer) => {
    expect(batchResult(answer, ids)).toEqual({ delivered: [], failed: ids, reason: expect.any(String) });
  });
});
