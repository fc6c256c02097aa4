import type { SearchableRevision } from "#lib/code/graph/search.ts";
import type { Snapshot } from "#lib/code/graph/snapshot.ts";

/** Stores the code graph: one snapshot per repository and revision. The last one published is current. */
export interface GraphStore {
  /** Makes `snapshot` the current one of its tenant and repository. Safe to repeat. */
  publish(snapshot: Snapshot, signal?: AbortSignal): Promise<void>;
  /** The whole current snapshot; undefined when the repository was never indexed. */
  latest(tenant: string, repository: string): Promise<Snapshot | undefined>;
  /** The current revision for searching; undefined when the repository was never indexed. */
  open(tenant: string, repository: string): Promise<SearchableRevision | undefined>;
}
