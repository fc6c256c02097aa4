import type { BlobRef } from "#schemas/primitives.ts";

/** Which snapshot of a repository is the current one. */
export interface SnapshotPointer {
  /** Grows by one with each move. */
  version: number;
  revision: string;
  blob: BlobRef;
}

export interface SnapshotPointers {
  get(tenant: string, repository: string): Promise<SnapshotPointer | undefined>;
  /**
   * Moves the pointer from `expected_version` (undefined: there is none yet). False when another
   * version is there.
   */
  move(
    tenant: string,
    repository: string,
    next: SnapshotPointer,
    expected_version: number | undefined,
  ): Promise<boolean>;
}
