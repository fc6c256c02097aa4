import { appendFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { smallSnapshot } from "#test/fakes/small-snapshot.ts";
import { wordEmbedder } from "#test/fakes/word-embedder.ts";
import { temporaryDirectory } from "#test/temporary.ts";
import { cachedEmbedder } from "../bench/retrieval/cached-embedder.ts";
import { figures } from "../bench/retrieval/quality.ts";
import { firstSentence, together, withoutNames } from "../bench/retrieval/question-corpus.ts";

describe("firstSentence", () => {
  it("is the first of the prose, else of the description, else of the summary", () => {
    expect(firstSentence("Adds two\nnumbers. Fast.\n@param a one")).toBe("Adds two numbers.");
    expect(firstSentence("@name addDays\n@summary Add.\n@description\nAdd the days. Then more.")).toBe(
      "Add the days.",
    );
    expect(firstSentence("@name addDays\n@summary Add the {@link Day days} up.")).toBe("Add the Day up.");
    expect(firstSentence("Combines two lists into a set (i.e. no duplicates). More.")).toBe(
      "Combines two lists into a set (i.e. no duplicates).",
    );
    expect(firstSentence("@private")).toBe("");
  });
});

describe("withoutNames", () => {
  it("takes a function's own name out of its name, path, head and body, and leaves others' names", async () => {
    const text =
      "export function sumPrices(list) {\n  return sumPrices(rest(list)) + SumPricesAll(_sumPrices);\n}\n";
    const { files, chunks } = await smallSnapshot({ "src/sum-prices.ts": text });
    const [hidden] = withoutNames({ package_name: "p", files, chunks, questions: [] }).chunks;
    expect(hidden).toMatchObject({ symbol: "f", signature: "export function f(list)" });
    expect(hidden?.excerpt).toContain("return f(rest(list)) + SumPricesAll(f);");
  });
});

it("puts packages together without mixing their places", async () => {
  const one = await smallSnapshot({ "a.ts": "export function first() {}" });
  const two = await smallSnapshot({ "b.ts": "export function second() {}" });
  const questions = [{ text: "q", chunk: 0 }];
  const all = together(
    [one, two].map(({ files, chunks }) => ({ package_name: "p", files, chunks, questions })),
  );
  expect(all.questions.map(({ chunk }) => all.chunks[chunk]?.symbol)).toEqual(["first", "second"]);
  expect(all.files[all.chunks[1]?.file ?? -1]?.path).toBe("b.ts");
});

it("embeds each text once, also in the next run, and says that a file was cut off", async () => {
  const file = join(temporaryDirectory(), "vectors");
  const embedder = wordEmbedder();
  const first = await cachedEmbedder(embedder, file).embed(["one", "two", "one"]);
  const again = await cachedEmbedder(embedder, file).embed(["two", "one"]);
  expect(again).toEqual([first[1], first[0]]);
  expect(embedder.texts).toEqual(["one", "two"]);
  appendFileSync(file, "half");
  expect(() => cachedEmbedder(embedder, file)).toThrow("remove it");
});

it("gives the mean reciprocal rank and the share among the first ten", () => {
  const { mrr, hit_at_10 } = figures([1, 2, 11, Number.POSITIVE_INFINITY]);
  expect(mrr).toBeCloseTo((1 + 1 / 2 + 1 / 11) / 4);
  expect(hit_at_10).toBe(0.5);
});
