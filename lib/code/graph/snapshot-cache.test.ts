import { describe, expect, it } from "vitest";
import type { Snapshot } from "#lib/code/graph/snapshot.ts";
import { snapshotCache } from "#lib/code/graph/snapshot-cache.ts";

/** A snapshot of so many bytes. */
const snapshot = (bytes: number) => ({ chunks: [], vectors: new Int8Array(bytes) }) as unknown as Snapshot;

/** A cache that counts what it loads: `repository@version` in the order of loading. */
function counted(limits: { entries_max: number; bytes_max: number }) {
  const cache = snapshotCache(limits);
  const loaded: string[] = [];
  const get = (repository: string, version = "1", bytes = 10) =>
    cache.get(repository, version, async () => {
      loaded.push(`${repository}@${version}`);
      return snapshot(bytes);
    });
  return { cache, loaded, get };
}

describe("a snapshot cache", () => {
  it("loads a version once, also for those who ask while it loads", async () => {
    const { get, loaded } = counted({ entries_max: 3, bytes_max: 1000 });
    const [first, second] = await Promise.all([get("a"), get("a")]);
    expect([first === second, (await get("a")) === first, loaded]).toEqual([true, true, ["a@1"]]);
  });

  it("keeps one version of a repository", async () => {
    const { get, loaded } = counted({ entries_max: 3, bytes_max: 1000 });
    for (const version of ["1", "2", "1"]) await get("a", version);
    expect(loaded).toEqual(["a@1", "a@2", "a@1"]);
  });

  it("lets the least recently used go when there are too many", async () => {
    const { get, loaded } = counted({ entries_max: 2, bytes_max: 1000 });
    for (const repository of ["a", "b", "a", "c", "a", "b"]) await get(repository);
    expect(loaded).toEqual(["a@1", "b@1", "c@1", "b@1"]);
  });

  it("lets the least recently used go when they are too large together", async () => {
    const { get, loaded } = counted({ entries_max: 10, bytes_max: 100 });
    for (const repository of ["a", "b", "a", "c", "a", "b"]) await get(repository, "1", 40);
    expect(loaded).toEqual(["a@1", "b@1", "c@1", "b@1"]);
  });

  it("keeps the newest though it is larger than all may be", async () => {
    const { get, loaded } = counted({ entries_max: 10, bytes_max: 100 });
    await get("small", "1", 40);
    for (let turn = 0; turn < 3; turn += 1) await get("large", "1", 5000);
    await get("small", "1", 40);
    expect(loaded).toEqual(["small@1", "large@1", "small@1"]);
  });

  it("forgets what could not be loaded, and only that", async () => {
    const { cache, get, loaded } = counted({ entries_max: 3, bytes_max: 1000 });
    const fails = async () => {
      throw new Error("gone");
    };
    const failing = cache.get("a", "1", fails);
    await get("a", "2"); // another version came before the first one failed
    await expect(failing).rejects.toThrow("gone");
    await get("a", "2");
    expect(loaded).toEqual(["a@2"]);
    await expect(cache.get("b", "1", fails)).rejects.toThrow("gone");
    await get("b");
    expect(loaded).toEqual(["a@2", "b@1"]);
  });

  it("does not take back a version that was replaced while it loaded", async () => {
    const { cache, get, loaded } = counted({ entries_max: 3, bytes_max: 1000 });
    let finish: (snapshot: Snapshot) => void = () => undefined;
    const slow = cache.get("a", "1", () => new Promise<Snapshot>((resolve) => (finish = resolve)));
    await get("a", "2");
    finish(snapshot(10));
    await slow;
    await get("a", "2");
    expect(loaded).toEqual(["a@2"]);
  });
});
