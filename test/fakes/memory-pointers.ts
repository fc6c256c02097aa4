import type { SnapshotPointer, SnapshotPointers } from "#lib/code/graph/snapshot-pointers.ts";

/** Pointers in memory. `before_move` lets a test come in between another's read and write. */
export function memoryPointers(options: { before_move?: () => Promise<void> } = {}): SnapshotPointers {
  const pointers = new Map<string, SnapshotPointer>();
  return {
    async get(tenant, repository) {
      return pointers.get(`${tenant}#${repository}`);
    },
    async move(tenant, repository, next, expected_version) {
      await options.before_move?.();
      const key = `${tenant}#${repository}`;
      if (pointers.get(key)?.version !== expected_version) return false;
      pointers.set(key, next);
      return true;
    },
  };
}
