import { describe, expect, it } from "vitest";
import { embeddedGraphStore } from "#lib/code/graph/embedded-graph-store.ts";
import { encodeSnapshot, type Snapshot } from "#lib/code/graph/snapshot.ts";
import { snapshotCache } from "#lib/code/graph/snapshot-cache.ts";
import type { BlobStore } from "#lib/platform/blobs/blobs.ts";
import { fakeBlobStore } from "#test/fakes/agent-context.ts";
import { memoryPointers } from "#test/fakes/memory-pointers.ts";
import { smallSnapshot } from "#test/fakes/small-snapshot.ts";

const first = await smallSnapshot({ "a.ts": "export function first() {}" });
const second = await smallSnapshot({ "a.ts": "export function second() {}" });
const symbols = (snapshot: Snapshot | undefined) => snapshot?.chunks.map(({ symbol }) => symbol);

function counting(blobs: BlobStore) {
  const counts = { reads: 0 };
  const read: BlobStore["read"] = (reference) => {
    counts.reads++;
    return blobs.read(reference);
  };
  return { counts, blobs: { ...blobs, read } };
}

describe("embeddedGraphStore", () => {
  it("gives back what was published, vectors and all, and nothing for an unknown name", async () => {
    const blobs = fakeBlobStore();
    const store = embeddedGraphStore({ blobs: () => blobs, pointers: memoryPointers() });
    const snapshot = await smallSnapshot();
    await store.publish(snapshot);
    expect(await store.latest("acme", "shop")).toEqual(snapshot);
    expect(await store.latest("acme", "other")).toBeUndefined();
    expect(await store.latest("rival", "shop")).toBeUndefined();
  });

  it("makes the later revision current, and changes nothing when one is published again", async () => {
    const blobs = fakeBlobStore();
    const pointers = memoryPointers();
    const store = embeddedGraphStore({ blobs: () => blobs, pointers });
    await store.publish(first);
    await store.publish(first);
    expect(await pointers.get("acme", "shop")).toMatchObject({ version: 1, revision: first.revision });
    await store.publish(second);
    expect(await pointers.get("acme", "shop")).toMatchObject({ version: 2, revision: second.revision });
    expect(symbols(await store.latest("acme", "shop"))).toEqual(["second"]);
  });

  it("lets two publish at once: both succeed, no version is lost", async () => {
    const blobs = fakeBlobStore();
    let waiting: (() => void)[] = [];
    const bothAtMove = () =>
      new Promise<void>((resolve) => {
        waiting.push(resolve);
        if (waiting.length === 2) for (const go of waiting) go();
        if (waiting.length > 2) resolve();
      });
    const pointers = memoryPointers({ before_move: bothAtMove });
    const store = embeddedGraphStore({ blobs: () => blobs, pointers });
    await Promise.all([store.publish(first), store.publish(second)]);
    waiting = [];
    expect((await pointers.get("acme", "shop"))?.version).toBe(2);
    expect(symbols(await store.latest("acme", "shop"))).toEqual(["second"]);
  });

  it("gives up for now when it loses every race", async () => {
    const blobs = fakeBlobStore();
    const pointers = { ...memoryPointers(), move: async () => false };
    await expect(embeddedGraphStore({ blobs: () => blobs, pointers }).publish(first)).rejects.toMatchObject({
      code: "SNAPSHOT_CONTENDED",
      disposition: "retry",
    });
  });

  it("moves nothing once the lease is lost", async () => {
    const blobs = fakeBlobStore();
    const pointers = memoryPointers();
    const reason = new Error("lease lost");
    const store = embeddedGraphStore({ blobs: () => blobs, pointers });
    await expect(store.publish(first, AbortSignal.abort(reason))).rejects.toBe(reason);
    expect(await pointers.get("acme", "shop")).toBeUndefined();
  });

  it("says clearly that a stored snapshot is damaged, and serves again once it is replaced", async () => {
    const blobs = fakeBlobStore();
    const pointers = memoryPointers();
    const cache = snapshotCache({ entries_max: 4, bytes_max: 1e6 });
    const store = embeddedGraphStore({ blobs: () => blobs, pointers, cache });
    const damaged = await blobs.write("not a snapshot", "application/gzip");
    await pointers.move("acme", "shop", { version: 1, revision: first.revision, blob: damaged }, undefined);
    await expect(store.latest("acme", "shop")).rejects.toMatchObject({
      code: "SNAPSHOT_CORRUPT",
      disposition: "terminal",
      message: expect.stringContaining("index the repository again"),
    });
    await store.publish(first);
    expect(symbols(await store.latest("acme", "shop"))).toEqual(["first"]);
  });

  it("refuses a snapshot that points outside of itself", async () => {
    const blobs = fakeBlobStore();
    const pointers = memoryPointers();
    const bytes = await encodeSnapshot({ ...first, calls: [[0, null, 99]] });
    const blob = await blobs.write(bytes, "application/gzip");
    await pointers.move("acme", "shop", { version: 1, revision: first.revision, blob }, undefined);
    const store = embeddedGraphStore({ blobs: () => blobs, pointers });
    await expect(store.latest("acme", "shop")).rejects.toMatchObject({ code: "SNAPSHOT_CORRUPT" });
  });

  it("reads a version once however many ask, and the next version after it", async () => {
    const { counts, blobs } = counting(fakeBlobStore());
    const cache = snapshotCache({ entries_max: 4, bytes_max: 1e6 });
    const store = embeddedGraphStore({ blobs: () => blobs, pointers: memoryPointers(), cache });
    await store.publish(first);
    const [one, two] = await Promise.all([store.latest("acme", "shop"), store.latest("acme", "shop")]);
    expect(one).toBe(two);
    expect(counts.reads).toBe(1);
    await store.publish(second);
    expect(symbols(await store.latest("acme", "shop"))).toEqual(["second"]);
    expect(counts.reads).toBe(2);
  });
});

describe("snapshotCache", () => {
  it("drops the least recently used beyond its entries or bytes, never the newest", async () => {
    const cache = snapshotCache({ entries_max: 2, bytes_max: 1e6 });
    const loads: string[] = [];
    const get = (cached: typeof cache, key: string) =>
      cached.get(key, "1", async () => {
        loads.push(key);
        return first;
      });
    for (const key of ["a", "b", "a", "c", "a", "b"]) await get(cache, key);
    expect(loads).toEqual(["a", "b", "c", "b"]);
    loads.length = 0;
    const tiny = snapshotCache({ entries_max: 9, bytes_max: 1 });
    for (const key of ["a", "a", "b", "a"]) await get(tiny, key);
    expect(loads).toEqual(["a", "b", "a"]);
  });
});
