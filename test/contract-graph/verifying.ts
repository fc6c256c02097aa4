import { expect, it } from "vitest";
import { vectorAt } from "#lib/code/graph/snapshot.ts";
import { smallSnapshot } from "#test/fakes/small-snapshot.ts";
import { wordEmbedder } from "#test/fakes/word-embedder.ts";
import { ask, type GraphWorld, newRepository, snapshotNaming } from "./graph-world.ts";

const DIMENSIONS = wordEmbedder().dimensions;

/** Vectors of unit length are sound; each of these is not. */
const UNSOUND = {
  VECTOR_NOT_FINITE: [Number.NaN, ...new Array<number>(DIMENSIONS - 1).fill(0)],
  VECTOR_ZERO: new Array<number>(DIMENSIONS).fill(0),
};
const INFINITE = [Number.NEGATIVE_INFINITY, ...new Array<number>(DIMENSIONS - 1).fill(0)];

/** What every graph store checks before it writes and before it answers. */
export function verifyingContract(world: () => GraphWorld): void {
  it("stores no index with a vector that cannot be compared, and keeps the one before", async () => {
    const repository = newRepository();
    const store = world().store();
    const first = await snapshotNaming(repository, "first");
    await store.publish(first);
    const second = await snapshotNaming(repository, "second");
    const unsound = [...Object.values(UNSOUND), INFINITE].map((row) => ({ vectors: Float32Array.from(row) }));
    const others = [{ dimensions: DIMENSIONS / 2 + 1 }, { vectors: second.vectors.slice(1) }];
    for (const changed of [...unsound, ...others]) {
      let writes = 0;
      const counting = world().store(async () => {
        writes += 1;
      });
      const refused = expect(counting.publish({ ...second, ...changed })).rejects;
      await refused.toMatchObject({ code: "SNAPSHOT_NOT_CONFORMING", disposition: "terminal" });
      expect(writes).toBe(0);
    }
    expect(await store.latest("acme", repository)).toEqual(first);
  });

  it("stores no index that refers to what it does not hold", async () => {
    const repository = newRepository();
    const small = await smallSnapshot(undefined, { repository });
    const wrong = [
      { calls: [[0, null, 99] as [number, null, number]] },
      { imports: [[0, 99] as [number, number]] },
      { tests: [{ file: 99, name: "adds", status: "passed" as const }] },
      { chunks: small.chunks.map((chunk) => ({ ...chunk, file: 99 })) },
      { chunks: small.chunks.map((chunk) => ({ ...chunk, vector: small.chunks.length })) },
    ];
    for (const changed of wrong) {
      const refused = expect(
        world()
          .store()
          .publish({ ...small, ...changed }),
      ).rejects;
      await refused.toMatchObject({ code: "SNAPSHOT_NOT_CONFORMING" });
    }
    expect(await world().store().latest("acme", repository)).toBeUndefined();
  });

  it("goes by words where a stored vector cannot be compared, says which fault, and is mended by a new index", async () => {
    const damages = { ...UNSOUND, VECTOR_DIMENSION: [1, 0, 0] };
    for (const [code, vector] of [...Object.entries(damages), ["VECTOR_NOT_FINITE", INFINITE] as const]) {
      const repository = newRepository();
      const small = await smallSnapshot(undefined, { repository });
      await world().store().publish(small);
      expect((await world().store().open("acme", repository))?.faults).toEqual([]);
      await world().damage(repository, { vector });
      const index = await world().store().open("acme", repository);
      expect(index?.faults.map((fault) => fault.code)).toContain(code);
      const [found] = await ask(world().store(), { repository }, "sum prices");
      expect(found).toMatchObject({ symbol: "sumPrices", why: ["1st by words: sum, prices"] });
      const changed = await smallSnapshot(undefined, { repository, revision: "0".repeat(64) });
      await world().store().publish(changed);
      expect((await world().store().open("acme", repository))?.faults).toEqual([]);
    }
  });

  it("keeps what made the vectors, the tokenizer too", async () => {
    const repository = newRepository();
    const small = await smallSnapshot(undefined, { repository });
    await world().store().publish(small);
    const { embedder: name, dimensions, tokenizer_sha256 } = small;
    expect((await world().store().open("acme", repository))?.embedder).toEqual({
      ...{ name, dimensions, tokenizer_sha256 },
    });
    expect(vectorAt(small, 0)).toHaveLength(dimensions);
  });

  it("does not answer from half an index", async () => {
    const repository = newRepository();
    await world()
      .store()
      .publish(await smallSnapshot(undefined, { repository }));
    await world().damage(repository, "half");
    await expect(world().store().open("acme", repository)).rejects.toMatchObject({
      code: expect.stringMatching(/^SNAPSHOT_(INCOMPLETE|CORRUPT)$/),
      disposition: "terminal",
    });
  });
}
