import { describe, expect, it } from "vitest";
import { z } from "zod";
import { fromJsonLines, toJsonLines } from "#lib/code/graph/json-lines.ts";

const Thing = z.strictObject({
  name: z.string(),
  size: z.int().nullable(),
  texts: z.array(z.string()).describe("long"),
  pairs: z.array(z.tuple([z.int(), z.int().nullable()])),
});

const long = {
  name: "line\nfeed \u2028 ü",
  size: null,
  texts: Array.from({ length: 3000 }, (_, place) => `${place}\n${"x".repeat(1000)}`),
  pairs: Array.from({ length: 100_000 }, (_, place): [number, number | null] => [
    place,
    place % 2 ? null : 1,
  ]),
};

/** How often the event loop went on to something else meanwhile. */
async function turnsDuring(work: () => Promise<unknown>): Promise<number> {
  let turns = 0;
  let over = false;
  const count = () => {
    turns += 1;
    if (!over) setImmediate(count);
  };
  setImmediate(count);
  await work();
  over = true;
  return turns;
}

describe("lines of JSON", () => {
  it("give the object again, however long its lists are", async () => {
    for (const thing of [
      long,
      { ...long, texts: [], pairs: [] },
      { ...long, size: 3, texts: ["__proto__"] },
    ]) {
      expect(await fromJsonLines(await toJsonLines(thing), Thing)).toEqual(thing);
    }
  });

  it("read what is in one line too, as it was written before", async () => {
    expect(await fromJsonLines(Buffer.from(JSON.stringify(long)), Thing)).toEqual(long);
  });

  it("leave others their turn many times on the way, both ways", async () => {
    const bytes = await toJsonLines(long);
    const slices = Math.floor(bytes.length / (300 * 1024));
    expect(slices).toBeGreaterThan(10);
    expect(await turnsDuring(() => toJsonLines(long))).toBeGreaterThan(slices);
    expect(await turnsDuring(() => fromJsonLines(bytes, Thing))).toBeGreaterThan(slices);
  });

  it.each([
    ["no JSON", "nonsense"],
    ["a field that is missing", '{"name":"a"}'],
    ["a field too many", '{"name":"a","size":1,"other":1}'],
    ["another type", '{"name":"a","size":1}\n{"texts":[1]}'],
    ["a list that is none", '{"name":"a","size":1}\n{"texts":"abc"}'],
    ["an empty line", '{"name":"a","size":1}\n\n'],
    ["a line that is too long", `{"name":"${"a".repeat(16 * 1024 * 1024)}","size":1}`],
  ])("are refused with %s", async (_what, text) => {
    await expect(fromJsonLines(Buffer.from(text), Thing)).rejects.toThrow();
  });
});
