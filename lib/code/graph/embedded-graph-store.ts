import { checkConforming } from "#lib/code/graph/graph-faults.ts";
import type { GraphStore } from "#lib/code/graph/graph-store.ts";
import { decodeSnapshot, encodeSnapshot, type Snapshot } from "#lib/code/graph/snapshot.ts";
import type { SnapshotCache } from "#lib/code/graph/snapshot-cache.ts";
import type { SnapshotPointers } from "#lib/code/graph/snapshot-pointers.ts";
import { snapshotSearchIndex } from "#lib/code/graph/snapshot-search-index.ts";
import type { BlobStore } from "#lib/platform/blobs/blobs.ts";
import { RetryableFault } from "#lib/platform/errors/fault.ts";

const MOVES_MAX = 10;

interface StorePorts {
  /** The blobs of one tenant. */
  blobs(tenant: string): BlobStore;
  pointers: SnapshotPointers;
  /** Shared by all stores of a process; without it every read fetches the blob. */
  cache?: SnapshotCache;
}

/**
 * A snapshot is one blob, and a conditional write moves the pointer to the current one. So no
 * reader sees a partial index, and a crash leaves no lock. When two publish at once, both succeed
 * and the later pointer move wins.
 */
export function embeddedGraphStore({ blobs, pointers, cache }: StorePorts): GraphStore {
  const latest: GraphStore["latest"] = async (tenant, repository) => {
    const pointer = await pointers.get(tenant, repository);
    if (!pointer) return undefined;
    const load = async (): Promise<Snapshot> => decodeSnapshot(await blobs(tenant).read(pointer.blob));
    const version = `${pointer.version} ${pointer.blob.sha256}`;
    return cache ? cache.get(`${tenant} ${repository}`, version, load) : load();
  };
  return {
    latest,
    async open(tenant, repository) {
      const snapshot = await latest(tenant, repository);
      return snapshot && snapshotSearchIndex(snapshot);
    },

    async publish(snapshot, signal) {
      checkConforming(snapshot);
      const { tenant, repository, revision } = snapshot;
      const blob = await blobs(tenant).write(await encodeSnapshot(snapshot), "application/gzip");
      for (let move = 0; move < MOVES_MAX; move++) {
        const current = await pointers.get(tenant, repository);
        if (current?.blob.sha256 === blob.sha256) return;
        signal?.throwIfAborted();
        const next = { version: (current?.version ?? 0) + 1, revision, blob };
        if (await pointers.move(tenant, repository, next, current?.version)) return;
      }
      throw new RetryableFault(
        "SNAPSHOT_CONTENDED",
        `The index of ${repository} was published ${MOVES_MAX} times by others meanwhile; this revision is published again later.`,
      );
    },
  };
}
