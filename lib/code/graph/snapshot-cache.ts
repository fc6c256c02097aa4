import type { Snapshot } from "#lib/code/graph/snapshot.ts";

interface Entry {
  version: string;
  snapshot: Promise<Snapshot>;
  bytes: number;
}

/** Snapshots by repository, of one version each; the least recently used leave first. */
export interface SnapshotCache {
  get(repository_key: string, version: string, load: () => Promise<Snapshot>): Promise<Snapshot>;
}

/** `entries_max` and `bytes_max` (of decoded text and vectors) bound it; the newest always stays. */
export function snapshotCache(limits: { entries_max: number; bytes_max: number }): SnapshotCache {
  const entries = new Map<string, Entry>();

  function trim() {
    let bytes = 0;
    for (const entry of entries.values()) bytes += entry.bytes;
    for (const [key, entry] of entries) {
      if (entries.size <= 1 || (entries.size <= limits.entries_max && bytes <= limits.bytes_max)) return;
      entries.delete(key);
      bytes -= entry.bytes;
    }
  }

  return {
    get(repository_key, version, load) {
      const known = entries.get(repository_key);
      entries.delete(repository_key);
      const entry = known?.version === version ? known : { version, snapshot: load(), bytes: 0 };
      entries.set(repository_key, entry);
      if (entry !== known) {
        entry.snapshot.then(
          (snapshot) => {
            entry.bytes = sizeOf(snapshot);
            trim();
          },
          () => entries.get(repository_key) === entry && entries.delete(repository_key),
        );
      }
      return entry.snapshot;
    },
  };
}

function sizeOf({ chunks, vectors }: Snapshot): number {
  const characters = chunks.reduce((sum, { excerpt, doc }) => sum + excerpt.length + doc.length, 0);
  return 2 * characters + vectors.byteLength;
}
