import { describe, expect, it } from "vitest";
import { embedChunks } from "#lib/code/graph/embed-chunks.ts";
import { sha256 } from "#lib/platform/hash/sha256.ts";
import { systemRuntime } from "#lib/platform/runtime/runtime.ts";
import { GRAPH_SETTINGS, smallSnapshot } from "#test/fakes/small-snapshot.ts";
import { wordEmbedder } from "#test/fakes/word-embedder.ts";

const snapshot = await smallSnapshot();
const options = { limits: GRAPH_SETTINGS, runtime: systemRuntime };

describe("embedChunks", () => {
  it("takes from the previous snapshot what did not change, and embeds the rest", async () => {
    const embedder = wordEmbedder();
    const again = await embedChunks(snapshot.chunks, { ...options, embedder, previous: snapshot });
    expect(again).toMatchObject({ embedded: 0, reused: snapshot.chunks.length });
    expect(again.vectors).toEqual(snapshot.vectors);
    expect(embedder.texts).toEqual([]);
  });

  it("takes nothing that another model embedded", async () => {
    const embedder = wordEmbedder({ name: "other" });
    const fresh = await embedChunks(snapshot.chunks, { ...options, embedder, previous: snapshot });
    expect(fresh).toMatchObject({ embedded: snapshot.chunks.length, reused: 0 });
  });

  it("takes nothing that another tokenizer cut, or that cannot be compared", async () => {
    const embedder = wordEmbedder({ tokenizer: "syllables" });
    const fresh = await embedChunks(snapshot.chunks, { ...options, embedder, previous: snapshot });
    expect(fresh).toMatchObject({ embedded: snapshot.chunks.length, reused: 0 });
    const vectors = snapshot.vectors.slice().fill(Number.NaN, 0, 1).fill(0, 64, 128);
    const previous = { ...snapshot, vectors };
    const mended = await embedChunks(snapshot.chunks, { ...options, embedder: wordEmbedder(), previous });
    expect(mended).toMatchObject({ embedded: 2, reused: snapshot.chunks.length - 2 });
    expect(mended.vectors).toEqual(snapshot.vectors);
  });

  it("refuses every vector that cannot be compared, in whatever batch, and says why", async () => {
    const chunks = Array.from({ length: 40 }, (_, i) => {
      return { ...snapshot.chunks[0]!, excerpt: `text ${i}`, content_hash: sha256(`${i}`) };
    });
    const words = wordEmbedder();
    const broken = [[1, 0], new Array(64).fill(0), new Array(64).fill(Number.POSITIVE_INFINITY), undefined];
    let given = 0;
    const embed = async (texts: readonly string[]) => {
      const vectors = await words.embed(texts);
      return vectors.flatMap((vector) => {
        const place = given++ - 14;
        const row = broken[place];
        if (place < 0 || place >= broken.length) return [vector];
        return [row === undefined ? new Float32Array() : Float32Array.from(row)];
      });
    };
    const found = await embedChunks(chunks, { ...options, embedder: { ...words, embed } });
    expect(found).toMatchObject({ embedded: 36, left_out: 0 });
    const refused = { VECTOR_DIMENSION: 2, VECTOR_ZERO: 1, VECTOR_NOT_FINITE: 1 };
    expect(Object.fromEntries(found.refused)).toEqual(refused);
    expect(found.chunks.filter(({ vector }) => vector === null)).toHaveLength(4);
  });

  it("embeds exported symbols first when there are more chunks than may be", async () => {
    const limits = { ...GRAPH_SETTINGS, chunks_max: 3 };
    const reversed = [...snapshot.chunks].reverse();
    const { chunks } = await embedChunks(reversed, { ...options, limits, embedder: wordEmbedder() });
    const chosen = chunks.filter(({ vector }) => vector !== null);
    expect(chosen.map(({ exported }) => exported)).toEqual([true, true, true]);
  });

  it("embeds like texts once", async () => {
    const [chunk] = snapshot.chunks;
    const twice = await embedChunks([chunk!, chunk!], { ...options, embedder: wordEmbedder() });
    expect(twice).toMatchObject({ embedded: 1, chunks: [{ vector: 0 }, { vector: 0 }] });
  });

  it("leaves out what there is no time for, and goes on from there the next time", async () => {
    const chunks = Array.from({ length: 40 }, (_, i) => ({
      ...snapshot.chunks[0]!,
      excerpt: `text ${i}`,
      content_hash: sha256(`${i}`),
    }));
    let now = 0;
    const runtime = { now: () => (now += 25_000) };
    const embedder = wordEmbedder();
    const first = await embedChunks(chunks, { ...options, runtime, embedder });
    expect(first).toMatchObject({ embedded: 32, reused: 0, left_out: 8 });
    expect(first.chunks.filter(({ vector }) => vector === null)).toHaveLength(8);
    const previous = { ...snapshot, ...first };
    const second = await embedChunks(chunks, { ...options, embedder, previous });
    expect(second).toMatchObject({ embedded: 8, reused: 32, left_out: 0 });
  });

  it("stops when told to", async () => {
    const reason = new Error("lease lost");
    const stopped = { ...options, embedder: wordEmbedder(), signal: AbortSignal.abort(reason) };
    await expect(embedChunks(snapshot.chunks, stopped)).rejects.toBe(reason);
  });
});
