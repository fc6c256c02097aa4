import { expect, it } from "vitest";
import { largeSnapshot } from "#test/fakes/large-snapshot.ts";
import { smallSnapshot } from "#test/fakes/small-snapshot.ts";
import { ask, type GraphWorld, newRepository } from "./graph-world.ts";

/** What every graph store keeps to when it is asked. */
export function askingContract(world: () => GraphWorld): void {
  const published = async (...given: Parameters<typeof smallSnapshot>) => {
    const repository = newRepository();
    const [files, changed] = given;
    const store = world().store();
    await store.publish(await smallSnapshot(files, { repository, ...changed }));
    return { store, repository };
  };

  it("puts a symbol the query names before all others, however it is written", async () => {
    const { store, repository } = await published();
    for (const query of ["parseRange", "parserange", "where is `parseRange` used", "parseRange() fails"]) {
      const [first] = await ask(store, { repository }, query);
      expect(first).toMatchObject({ symbol: "parseRange", kind: "function", path: "src/parse-range.ts" });
      expect(first?.excerpt).toContain("export function parseRange");
      expect(first?.why).toContain("symbol name matches `parseRange`");
    }
    expect((await ask(store, { repository }, "Basket.amount"))[0]?.symbol).toBe("Basket.amount");
    expect((await ask(store, { repository }, "amount"))[0]?.symbol).toBe("Basket.amount");
  });

  it("finds by words, also parts of a name and inflected ones, and says which", async () => {
    const { store, repository } = await published();
    const [first] = await ask(store, { repository }, "summing price", { words_only: true });
    expect(first?.symbol).toBe("sumPrices");
    expect(first?.why[0]).toBe("1st by words: summing, price");
  });

  it("finds by meaning what shares no word with the query, and says how close", async () => {
    const { store, repository } = await published();
    expect(await ask(store, { repository }, "erase", { words_only: true })).toEqual([]);
    const [first] = await ask(store, { repository }, "erase");
    expect(first?.symbol).toBe("Basket.deleteItem");
    expect(first?.why[0]).toMatch(/^1st by meaning \(cosine 0\.\d\d\)$/);
  });

  it("says what calls the best result and which failing tests cover it", async () => {
    const small = await smallSnapshot();
    const file = small.files.findIndex(({ path }) => path === "test/prices.test.ts");
    const tests = ["failed", "passed"].map((status) => ({ file, name: status, status }) as const) as never;
    const { store, repository } = await published(undefined, { tests });
    const results = await ask(store, { repository }, "sumPrices");
    const covering = results[0]?.why.filter((sentence) => sentence.includes("test"));
    expect(covering).toEqual(["covered by failing test `failed` in test/prices.test.ts"]);
    const caller = results.find(({ symbol }) => symbol === "Basket.amount");
    expect(caller?.why).toContain("calls `sumPrices`, the best result");
  });

  it("finds what has no vector by its words, not below what has one", async () => {
    const small = await smallSnapshot();
    const chunks = small.chunks.map((chunk) =>
      chunk.symbol === "sumPrices" ? { ...chunk, vector: null } : chunk,
    );
    const { store, repository } = await published(undefined, { chunks });
    expect((await ask(store, { repository }, "total sum of all prices"))[0]?.symbol).toBe("sumPrices");
  });

  it("finds a tenant's own though another's are all nearer to the question", async () => {
    const crowd = await largeSnapshot(1500, { tenant: "rival", repository: newRepository() });
    const row = crowd.vectors.slice(0, crowd.dimensions);
    for (let place = 0; place < crowd.chunks.length; place++) {
      crowd.vectors.set(row, place * crowd.dimensions); // all the same as the first: "Can load the invoice"
    }
    await world().store().publish(crowd);
    const { store, repository } = await published({
      "src/a.ts": "/** Something else. */\nexport function waterPlants() {\n  return 1;\n}\n",
    });
    const results = await ask(store, { repository }, crowd.chunks[0]?.doc ?? "");
    expect(results.map(({ symbol }) => symbol)).toEqual(["waterPlants"]);
    expect(results[0]?.why.join()).toContain("by meaning");
    expect(await ask(store, { repository }, crowd.chunks[0]?.symbol ?? "", { words_only: true })).toEqual([]);
  });

  it("takes names and questions as they are, however odd", async () => {
    const files = {
      "src/a b'c\"d`e.ts": "export function constructor() {\n  return '\\' \" `';\n}\n",
      "src/ünïcode 漢字.ts": "export function größe() {\n  return 1;\n}\nexport const $inject = () => 2;\n",
      "src/line\nbreak.ts": "export class __proto__ {\n  toString() {\n    return 'OR';\n  }\n}\n",
      "src/}{.ts": `export function ${"long".repeat(500)}() {\n  return 3;\n}\n`,
    };
    const repository = `odd/${newRepository()} $\`'"\\ ünï`;
    const store = world().store();
    const odd = await smallSnapshot(files, { repository });
    await store.publish(odd);
    expect(await store.latest("acme", repository)).toEqual(odd);
    const long = "long".repeat(500);
    for (const name of ["constructor", "größe", "$inject", "__proto__", "__proto__.toString", long]) {
      const [first] = await ask(store, { repository }, name);
      expect([name, first?.symbol]).toEqual([name, name]);
    }
    const syntax = [
      "AND OR NOT",
      '+a -b "c',
      "(x]",
      "name_words:größe",
      "*",
      "?",
      "a~2^3",
      "\\",
      "/re/",
      "' OR 1=1",
    ];
    for (const query of [...syntax, "?!", "漢字", "x".repeat(4000)]) {
      expect(Array.isArray(await ask(store, { repository }, query))).toBe(true);
    }
    expect(await ask(store, { repository }, "?!", { words_only: true })).toEqual([]);
  });

  it("gives no more than asked for", async () => {
    const { store, repository } = await published();
    expect(await ask(store, { repository }, "price", { limit: 2 })).toHaveLength(2);
  });
}
