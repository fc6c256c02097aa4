import { describe, expect, it } from "vitest";
import { embedChunks } from "#lib/graph/embed-chunks.ts";
import { GRAPH_SETTINGS, smallSnapshot } from "#test/fakes/small-snapshot.ts";
import { wordEmbedder } from "#test/fakes/word-embedder.ts";

const snapshot = await smallSnapshot();

describe("embedChunks", () => {
  it("takes from the previous snapshot what did not change, and embeds the rest", async () => {
    const embedder = wordEmbedder();
    const again = await embedChunks(snapshot.chunks, snapshot, embedder, GRAPH_SETTINGS);
    expect(again).toMatchObject({ embedded: 0, reused: snapshot.chunks.length });
    expect(again.vectors).toEqual(snapshot.vectors);
    expect(embedder.texts).toEqual([]);
  });

  it("takes nothing that another model embedded", async () => {
    const embedder = wordEmbedder({ name: "other" });
    const { embedded, reused } = await embedChunks(snapshot.chunks, snapshot, embedder, GRAPH_SETTINGS);
    expect([embedded, reused]).toEqual([snapshot.chunks.length, 0]);
  });

  it("embeds exported symbols first when there are more chunks than may be, and like text once", async () => {
    const embedder = wordEmbedder();
    const limits = { ...GRAPH_SETTINGS, chunks_max: 3 };
    const { chunks } = await embedChunks([...snapshot.chunks].reverse(), undefined, embedder, limits);
    const chosen = chunks.filter(({ vector }) => vector !== null);
    expect(chosen).toHaveLength(3);
    expect(chosen.every(({ exported }) => exported)).toBe(true);
    const [chunk] = snapshot.chunks;
    const twice = await embedChunks([chunk!, chunk!], undefined, embedder, GRAPH_SETTINGS);
    expect(twice).toMatchObject({ embedded: 1, chunks: [{ vector: 0 }, { vector: 0 }] });
  });

  it("stops when told to", async () => {
    const reason = new Error("lease lost");
    const stopped = embedChunks(
      snapshot.chunks,
      undefined,
      wordEmbedder(),
      GRAPH_SETTINGS,
      AbortSignal.abort(reason),
    );
    await expect(stopped).rejects.toBe(reason);
  });
});
