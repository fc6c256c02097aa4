import { LRUCache } from "lru-cache";
import type { Snapshot } from "#lib/code/graph/snapshot.ts";

interface Entry {
  version: string;
  snapshot: Promise<Snapshot>;
}

/** Keeps one version of each repository's snapshot; evicts the least recently used first. */
export interface SnapshotCache {
  get(repository_key: string, version: string, load: () => Promise<Snapshot>): Promise<Snapshot>;
}

/** Limited by `entries_max` and by `bytes_max` of decoded text and vectors. The newest entry always stays. */
export function snapshotCache({
  entries_max,
  bytes_max,
}: {
  entries_max: number;
  bytes_max: number;
}): SnapshotCache {
  const entries = new LRUCache<string, Entry>({ max: entries_max, maxSize: bytes_max });
  return {
    get(repository_key, version, load) {
      const known = entries.get(repository_key);
      if (known?.version === version) return known.snapshot;
      const entry = { version, snapshot: load() };
      entries.set(repository_key, entry, { size: 1 }); // until its size is known
      const isCurrent = () => entries.peek(repository_key) === entry;
      entry.snapshot.then(
        (snapshot) => {
          // A snapshot larger than the whole limit is kept as the only entry.
          const size = Math.min(Math.max(1, sizeOf(snapshot)), bytes_max);
          if (!isCurrent()) return;
          entries.delete(repository_key); // setting the same entry again would not count its size
          entries.set(repository_key, entry, { size });
        },
        () => isCurrent() && entries.delete(repository_key),
      );
      return entry.snapshot;
    },
  };
}

function sizeOf({ chunks, vectors }: Snapshot): number {
  const characters = chunks.reduce((sum, { excerpt, doc }) => sum + excerpt.length + doc.length, 0);
  return 2 * characters + vectors.byteLength;
}
