import { expect, it } from "vitest";
import type { GraphStore } from "#lib/code/graph/graph-store.ts";
import type { Snapshot } from "#lib/code/graph/snapshot.ts";
import { largeSnapshot } from "#test/fakes/large-snapshot.ts";
import { smallSnapshot } from "#test/fakes/small-snapshot.ts";
import { ask, type GraphWorld, newRepository, snapshotNaming, symbolsOf } from "./graph-world.ts";

const WRITES_MAX = 100;

/** Publishes, and is cut off before its `place`-th write; true when it was done before. */
async function cutOff(world: GraphWorld, snapshot: Snapshot, place: number): Promise<boolean> {
  let writes = 0;
  const store = world.store(async () => {
    if (writes === place) throw new Error("cut off");
    writes += 1;
  });
  try {
    await store.publish(snapshot);
    return true;
  } catch (error) {
    expect(String(error)).toContain("cut off");
    return false;
  }
}

async function currentSymbol(store: GraphStore, repository: string): Promise<string | null | undefined> {
  const snapshot = await store.latest("acme", repository);
  const [found] = await ask(store, { repository }, "Does");
  expect(found?.symbol).toBe(snapshot?.chunks[0]?.symbol);
  return snapshot?.chunks[0]?.symbol;
}

/** What every graph store keeps to when something is published. */
export function publishingContract(world: () => GraphWorld): void {
  it("gives back what was published, number for number", async () => {
    const repository = newRepository();
    const small = await smallSnapshot(undefined, { repository });
    const tests = [{ file: 0, name: "adds up", status: "failed" as const }];
    await world()
      .store()
      .publish({ ...small, tests });
    expect(await world().store().latest("acme", repository)).toEqual({ ...small, tests });
  });

  it("knows nothing of what was never indexed", async () => {
    const repository = newRepository();
    expect(await world().store().latest("acme", repository)).toBeUndefined();
    expect(await world().store().open("acme", repository)).toBeUndefined();
  });

  it("shows the last published, also when that is an older revision arriving late", async () => {
    const repository = newRepository();
    const [older, newer] = [
      await snapshotNaming(repository, "older"),
      await snapshotNaming(repository, "newer"),
    ];
    const store = world().store();
    for (const snapshot of [older, newer, older, newer]) {
      await store.publish(snapshot);
      expect(await store.latest("acme", repository)).toEqual(snapshot);
      expect((await store.open("acme", repository))?.revision).toBe(snapshot.revision);
    }
  });

  it("changes nothing when the same is published again, by anybody, also at once", async () => {
    const repository = newRepository();
    const snapshot = await snapshotNaming(repository, "same");
    await Promise.all([1, 2, 3].map(() => world().store().publish(snapshot)));
    let writes = 0;
    const again = world().store(async () => {
      writes += 1;
    });
    await again.publish(snapshot);
    await again.publish(snapshot);
    expect(writes).toBeLessThanOrEqual(2); // a blob of the same content may be written over itself
    expect(await again.latest("acme", repository)).toEqual(snapshot);
  });

  it("lets several publish at once: each succeeds, and one of them is current, whole", async () => {
    const repository = newRepository();
    const names = ["one", "two", "three", "four"];
    const all = await Promise.all(names.map((name) => snapshotNaming(repository, name)));
    await Promise.all(all.map((snapshot) => world().store().publish(snapshot)));
    const latest = await world().store().latest("acme", repository);
    expect(all).toContainEqual(latest);
    expect(names).toContain(await currentSymbol(world().store(), repository));
  });

  it("leaves readers the last whole revision wherever it is cut off, and a repeat makes it whole", async () => {
    const repository = newRepository();
    const first = await snapshotNaming(repository, "first");
    await world().store().publish(first);
    const tests = [{ file: 0, name: "works", status: "passed" as const }];
    const second = { ...(await smallSnapshot(undefined, { repository })), tests };
    let place = 0;
    for (; place < WRITES_MAX && !(await cutOff(world(), second, place)); place++) {
      expect(await world().store().latest("acme", repository)).toEqual(first);
      expect(await currentSymbol(world().store(), repository)).toBe("first");
    }
    expect(place).toBeGreaterThanOrEqual(2);
    expect(await world().store().latest("acme", repository)).toEqual(second);
  });

  it("publishes nothing once its lease is lost", async () => {
    const repository = newRepository();
    const store = world().store();
    await store.publish(await snapshotNaming(repository, "first"));
    const reason = new Error("lease lost");
    const second = await snapshotNaming(repository, "second");
    await expect(store.publish(second, AbortSignal.abort(reason))).rejects.toBe(reason);
    const lost = new AbortController();
    const losing = world().store(async () => lost.abort(reason));
    await expect(losing.publish(second, lost.signal)).rejects.toBe(reason);
    expect(symbolsOf(await store.latest("acme", repository))).toEqual(["first"]);
  });

  it("keeps tenants apart, though their repositories have one name", async () => {
    const repository = newRepository();
    const store = world().store();
    const ours = await snapshotNaming(repository, "ours");
    const theirs = await snapshotNaming(repository, "theirs", { tenant: "rival" });
    await Promise.all([store.publish(ours), store.publish(theirs)]);
    expect(await store.latest("acme", repository)).toEqual(ours);
    expect(await store.latest("rival", repository)).toEqual(theirs);
    expect(await store.latest("other", repository)).toBeUndefined();
  });

  it("indexes an empty tree, which has nothing to find", async () => {
    const repository = newRepository();
    const store = world().store();
    const empty = await smallSnapshot({}, { repository });
    await store.publish(empty);
    expect(await store.latest("acme", repository)).toEqual(empty);
    expect(await ask(store, { repository }, "anything at all")).toEqual([]);
    expect((await store.open("acme", repository))?.embedder).toBeUndefined();
  });

  it("keeps a repository of thousands of symbols, whole", async () => {
    const repository = newRepository();
    const store = world().store();
    const large = await largeSnapshot(3000, { repository });
    await store.publish(large);
    expect(await store.latest("acme", repository)).toEqual(large);
    expect((await ask(store, { repository }, "mergeInvoice2724"))[0]).toMatchObject({
      symbol: "mergeInvoice2724",
      path: "src/module-90.ts",
    });
  });
}
