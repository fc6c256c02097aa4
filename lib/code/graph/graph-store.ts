import type { SearchableRevision } from "#lib/code/graph/search.ts";
import type { Snapshot } from "#lib/code/graph/snapshot.ts";

/** Where the code graph lives: a snapshot per repository and revision, the last published is current. */
export interface GraphStore {
  /** Makes `snapshot` the current one of its tenant and repository. Safe to repeat. */
  publish(snapshot: Snapshot, signal?: AbortSignal): Promise<void>;
  /** The whole of it, to go on from. Undefined when nothing was indexed under that name. */
  latest(tenant: string, repository: string): Promise<Snapshot | undefined>;
  /** To put questions to. Undefined when nothing was indexed under that name. */
  open(tenant: string, repository: string): Promise<SearchableRevision | undefined>;
}
