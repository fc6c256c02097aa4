import { describe, expect, it } from "vitest";
import { search } from "#lib/code/graph/search.ts";
import type { Snapshot } from "#lib/code/graph/snapshot.ts";
import { snapshotSearchIndex } from "#lib/code/graph/snapshot-search-index.ts";
import { GRAPH_SETTINGS, smallSnapshot } from "#test/fakes/small-snapshot.ts";
import { wordEmbedder } from "#test/fakes/word-embedder.ts";

const snapshot = await smallSnapshot();

async function ask(text: string, options: { limit?: number; over?: Snapshot; words_only?: boolean } = {}) {
  const [vector] = options.words_only ? [] : await wordEmbedder().embed([text]);
  const query = { text, limit: options.limit ?? 10, ...(vector ? { vector } : {}) };
  return search(snapshotSearchIndex(options.over ?? snapshot), query, GRAPH_SETTINGS);
}

describe("search", () => {
  it("puts a symbol the query names before all others, however it is written", async () => {
    for (const query of ["parseRange", "parserange", "where is `parseRange` used", "parseRange() fails"]) {
      const [first] = await ask(query);
      expect(first).toMatchObject({ symbol: "parseRange", kind: "function", path: "src/parse-range.ts" });
      expect(first?.why).toContain("symbol name matches `parseRange`");
    }
    expect((await ask("Basket.amount"))[0]?.symbol).toBe("Basket.amount");
    expect((await ask("amount"))[0]?.symbol).toBe("Basket.amount");
  });

  it("puts a symbol first that is asked for, not one that a longer question names in passing", async () => {
    const passing =
      "the sum that a basket of prices has in all, before `parseRange` and discounts are looked at";
    const results = await ask(passing);
    expect(results[0]?.symbol).not.toBe("parseRange");
    const named = results.find(({ symbol }) => symbol === "parseRange");
    expect(named?.why).toContain("symbol name matches `parseRange`");
  });

  it("weighs words that say what is looked for over words of any comment", async () => {
    const files = {
      "a.ts": "export function value() {\n  return 1;\n}\n",
      "b.ts": "export function pluck() {\n  return 1;\n}\n",
    };
    const over = await smallSnapshot(files);
    const [first] = await ask("plucks the value", { over, words_only: true });
    expect(first?.symbol).toBe("pluck");
  });

  it("prefers what others may use to what is private or declared inside", async () => {
    const body = "{\n  return sort(prices);\n}\n";
    const files = {
      "a.ts": `export function _sortPrices() ${body}`,
      "b.ts": `export function sortPrices() ${body}`,
    };
    const over = await smallSnapshot(files);
    const results = await ask("sort prices", { over });
    expect(results.map(({ symbol }) => symbol)).toEqual(["sortPrices", "_sortPrices"]);
  });

  it("does not take a common word of a question for a symbol's name", async () => {
    const results = await ask("what amount of money goes back");
    expect(results[0]).toMatchObject({ symbol: "README.md", kind: "section", path: "README.md" });
    expect(results.flatMap(({ why }) => why).join()).not.toContain("symbol name matches");
  });

  it("finds by words, also parts of a name and inflected ones, and says which", async () => {
    const [first] = await ask("summing price", { words_only: true });
    expect(first?.symbol).toBe("sumPrices");
    expect(first?.why[0]).toBe("1st by words: summing, price");
  });

  it("finds by meaning what shares no word with the query, and says how close", async () => {
    expect((await ask("erase", { words_only: true })).map(({ symbol }) => symbol)).toEqual([]);
    const [first] = await ask("erase");
    expect(first?.symbol).toBe("Basket.deleteItem");
    expect(first?.why[0]).toMatch(/^1st by meaning \(cosine 0\.\d\d\)$/);
  });

  it("says what calls the best result and which failing tests cover it", async () => {
    const file = snapshot.files.findIndex(({ path }) => path === "test/prices.test.ts");
    const failed = { file, name: "adds up prices", status: "failed" as const };
    const results = await ask("sumPrices", { over: { ...snapshot, tests: [failed] } });
    expect(results[0]?.why).toContain("covered by failing test `adds up prices` in test/prices.test.ts");
    const caller = results.find(({ symbol }) => symbol === "Basket.amount");
    expect(caller?.why).toContain("calls `sumPrices`, the best result");
    const passed = { ...failed, status: "passed" as const };
    expect((await ask("sumPrices", { over: { ...snapshot, tests: [passed] } }))[0]?.why.join()).not.toMatch(
      /test/,
    );
  });

  it("ranks chunks without a vector by their words, not below what has one", async () => {
    const chunks = snapshot.chunks.map((chunk) =>
      chunk.symbol === "sumPrices" ? { ...chunk, vector: null } : chunk,
    );
    expect((await ask("total sum of all prices", { over: { ...snapshot, chunks } }))[0]?.symbol).toBe(
      "sumPrices",
    );
  });

  it("gives no more than asked for, and nothing from an empty repository or for no words", async () => {
    expect(await ask("price", { limit: 2 })).toHaveLength(2);
    expect(await ask("price", { over: await smallSnapshot({}) })).toEqual([]);
    expect(await ask("?!", { words_only: true })).toEqual([]);
  });
});
