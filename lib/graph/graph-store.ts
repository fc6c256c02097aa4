import type { Snapshot } from "#lib/graph/snapshot.ts";

/** Where the code graph lives: a snapshot per repository and revision, the last published is current. */
export interface GraphStore {
  /** Makes `snapshot` the current one of its tenant and repository. Safe to repeat. */
  publish(snapshot: Snapshot, signal?: AbortSignal): Promise<void>;
  /** Undefined when nothing was indexed under that name. */
  latest(tenant: string, repository: string): Promise<Snapshot | undefined>;
}
