import { LRUCache } from "lru-cache";
import type { Snapshot } from "#lib/code/graph/snapshot.ts";

interface Entry {
  version: string;
  snapshot: Promise<Snapshot>;
}

/** Snapshots by repository, of one version each; the least recently used leave first. */
export interface SnapshotCache {
  get(repository_key: string, version: string, load: () => Promise<Snapshot>): Promise<Snapshot>;
}

/** `entries_max` and `bytes_max` (of decoded text and vectors) bound it; the newest always stays. */
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
          // A larger one than all may be is kept alone.
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
