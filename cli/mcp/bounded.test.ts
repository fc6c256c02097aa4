import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { bounded } from "./bounded.ts";

const length = (value: unknown) => JSON.stringify(value).length;

describe("a bounded answer", () => {
  it("is the document itself where that fits", () => {
    const document = { a: ["x".repeat(900)], b: null };
    expect(bounded(document, 1000)).toBe(document);
  });

  it("fits, whatever the document is", () => {
    const documents = fc.oneof(
      fc.jsonValue({ maxDepth: 6 }),
      fc.array(fc.string({ maxLength: 500 }), { maxLength: 300 }),
      fc.dictionary(fc.string({ maxLength: 80 }), fc.string({ maxLength: 2000 }), { maxKeys: 100 }),
    );
    fc.assert(fc.property(documents, (document) => length(bounded(document, 1000)) <= 1000));
    const nested = (depth: number): unknown =>
      depth === 0 ? "\u0000".repeat(100) : Array(6).fill(nested(depth - 1));
    expect(length(bounded(nested(6), 1000))).toBeLessThanOrEqual(1000);
  });

  it("says what is missing of each text, list and object", () => {
    const document = {
      log: "x".repeat(70_000),
      list: Array.from({ length: 600 }, (_, index) => index),
      object: Object.fromEntries(Array.from({ length: 600 }, (_, index) => [`field_${index}`, index])),
    };
    const { log, list, object } = bounded(document) as typeof document;
    expect(log).toMatch(/^x{20000}… 50000 more characters$/);
    expect(list).toHaveLength(501);
    expect(list.at(-1)).toBe("… 100 more entries");
    expect(object).toMatchObject({ field_499: 499, "…": "100 more fields" });
  });
});
