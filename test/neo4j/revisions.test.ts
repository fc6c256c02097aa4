import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { largeSnapshot } from "#test/fakes/large-snapshot.ts";
import { smallSnapshot } from "#test/fakes/small-snapshot.ts";
import { ask, newRepository, snapshotNaming, symbolsOf } from "../contract-graph/graph-world.ts";
import { anotherProcess, type Neo4jWorld, neo4jWorld } from "./neo4j-world.ts";

let world: Neo4jWorld;
let now = Date.now();
beforeAll(async () => {
  world = await neo4jWorld({ now: () => now });
});
afterAll(() => world.close());

const MINUTE_MS = 60_000;

/** Nodes of a repository by label. */
async function nodes(repository: string): Promise<Record<string, number>> {
  const rows = await world.cypher.read(
    `MATCH (n) WHERE n.repository = $repository RETURN labels(n)[0] AS label, count(*) AS nodes`,
    { repository },
  );
  return Object.fromEntries(rows.map(({ label, nodes: count }) => [label, count]));
}

describe("revisions in Neo4j", () => {
  it("are removed once nobody can read them any more, and the current one never", async () => {
    const repository = newRepository();
    const store = world.store();
    for (const name of ["one", "two", "three"]) await store.publish(await snapshotNaming(repository, name));
    expect(await nodes(repository)).toMatchObject({ CodeRevision: 3, CodeChunk: 3 });
    now += 2 * MINUTE_MS;
    await store.publish(await snapshotNaming(repository, "four"));
    expect(await nodes(repository)).toMatchObject({ CodeRevision: 2, CodeChunk: 2 });
    expect(symbolsOf(await store.latest("acme", repository))).toEqual(["four"]);
  });

  it("are removed a bounded batch at a time, also large ones", async () => {
    const repository = newRepository();
    const store = world.store();
    await store.publish(await largeSnapshot(2500, { repository }));
    await store.publish(await snapshotNaming(repository, "small"));
    now += 2 * MINUTE_MS;
    await store.publish(await snapshotNaming(repository, "last"));
    expect(await nodes(repository)).toEqual({ CodeRevision: 2, CodeChunk: 2, CodeFile: 2 });
  });

  it("that a crash left half written are removed when nobody can be writing them", async () => {
    const repository = newRepository();
    let writes = 0;
    const crashing = world.store(async () => {
      writes += 1;
      if (writes > 15) throw new Error("crash");
    });
    await world.store().publish(await snapshotNaming(repository, "first"));
    await expect(crashing.publish(await largeSnapshot(6000, { repository }))).rejects.toThrow("crash");
    expect((await nodes(repository)).CodeChunk).toBeGreaterThan(1);
    now += 10 * MINUTE_MS;
    await world.store().publish(await snapshotNaming(repository, "second"));
    expect((await nodes(repository)).CodeRevision).toBe(3); // it might still be written
    now += 60 * MINUTE_MS;
    await world.store().publish(await snapshotNaming(repository, "third"));
    expect(await nodes(repository)).toEqual({ CodeRevision: 2, CodeChunk: 2, CodeFile: 2 });
  });

  it("that lost nodes say so, and are written anew when the same is indexed again", async () => {
    const repository = newRepository();
    const store = world.store();
    const snapshot = await smallSnapshot(undefined, { repository });
    await store.publish(snapshot);
    const damage = "MATCH (c:CodeChunk {repository: $repository}) WITH c LIMIT 1 DETACH DELETE c";
    await world.cypher.write(damage, { repository });
    await expect(store.latest("acme", repository)).rejects.toMatchObject({
      code: "SNAPSHOT_INCOMPLETE",
      disposition: "terminal",
      message: expect.stringContaining("index the repository again"),
    });
    await store.publish(snapshot);
    expect(await store.latest("acme", repository)).toEqual(snapshot);
  });

  it("are not written under an index of other dimensions, which would find none of them", async () => {
    await world.store().publish(await snapshotNaming(newRepository(), "first"));
    const repository = newRepository();
    const other = await snapshotNaming(repository, "other", {
      dimensions: 3,
      vectors: Float32Array.of(1, 0, 0),
    });
    await expect(world.store().publish(other)).rejects.toMatchObject({
      code: "VECTOR_INDEX_DIMENSIONS",
      disposition: "terminal",
      message: expect.stringMatching(/64 dimensions and the embedder gives 3: DROP INDEX code_chunk_vector/),
    });
    expect(await nodes(repository)).toEqual({});
  });

  it("are found by words under an index of other dimensions or another similarity, which is said", async () => {
    const repository = newRepository();
    const snapshot = await smallSnapshot(undefined, { repository });
    await world.store().publish(snapshot);
    for (const [code, refusal, dimensions, similarity] of [
      ["INDEX_DIMENSION", "VECTOR_INDEX_DIMENSIONS", 32, "cosine"],
      ["INDEX_SIMILARITY", "VECTOR_INDEX_SIMILARITY", 64, "euclidean"],
    ] as const) {
      const other = anotherProcess();
      try {
        await other.cypher.write("DROP INDEX code_chunk_vector");
        await other.cypher.write(
          `CREATE VECTOR INDEX code_chunk_vector FOR (n:CodeChunk) ON (n.vector) OPTIONS {indexConfig:
           {\`vector.dimensions\`: ${dimensions}, \`vector.similarity_function\`: '${similarity}'}}`,
        );
        expect((await other.store().open("acme", repository))?.faults).toMatchObject([{ code }]);
        const [found] = await ask(other.store(), { repository }, "sum prices");
        expect(found).toMatchObject({ symbol: "sumPrices", why: ["1st by words: sum, prices"] });
        const next = { ...snapshot, revision: "0".repeat(64) };
        const refused = expect(other.store().publish(next)).rejects;
        await refused.toMatchObject({ code: refusal, message: expect.stringContaining("DROP INDEX") });
      } finally {
        await other.close();
      }
    }
    await world.empty();
  });

  it("find constraints and indexes made once, however many processes make them at once", async () => {
    await world.empty();
    const repository = newRepository();
    const snapshots = await Promise.all(
      ["one", "two", "three", "four"].map((name) => snapshotNaming(repository, name)),
    );
    const worlds = snapshots.map(() => anotherProcess());
    try {
      await Promise.all(snapshots.map((snapshot, place) => worlds[place]?.store().publish(snapshot)));
      expect(snapshots).toContainEqual(await world.store().latest("acme", repository));
    } finally {
      for (const one of worlds) await one.close();
    }
  });

  it("have the indexes that questions use, all of the Community Edition", async () => {
    const rows = await world.cypher.read(
      "SHOW INDEXES YIELD name, type, state WHERE name STARTS WITH 'code_' RETURN name, type, state ORDER BY name",
    );
    expect(new Set(rows.map(({ state }) => state))).toEqual(new Set(["ONLINE"]));
    const types = Object.fromEntries(rows.map(({ name, type }) => [name, type]));
    expect(types).toMatchObject({ code_chunk_vector: "VECTOR", code_chunk_words: "FULLTEXT" });
    const constraints = await world.cypher.read("SHOW CONSTRAINTS YIELD type RETURN DISTINCT type");
    expect(constraints).toEqual([{ type: "UNIQUENESS" }]);
    const [edition] = await world.cypher.read("CALL dbms.components() YIELD edition RETURN edition");
    expect(edition).toEqual({ edition: "community" });
  });
});
