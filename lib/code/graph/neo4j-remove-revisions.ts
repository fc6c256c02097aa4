import { type Cypher, int } from "#lib/code/neo4j/cypher.ts";

/** A reader may still be at a revision that is no longer current; a query takes half a minute at most. */
const SUPERSEDED_MS_MIN = 60_000;
/** Nothing writes longer than one invocation, 15 minutes; a crash left it. */
const ABANDONED_MS_MIN = 60 * 60_000;
const REVISIONS_AT_ONCE = 5;
const NODES_AT_ONCE = 1000;
/** What is more than 200,000 nodes is left for the next time. */
const BATCHES_MAX = 200;

/**
 * Removes what nobody reads any more of a repository, a bounded batch a transaction. A revision is first
 * marked, under the lock that making one current takes, so none is removed that becomes current.
 */
export async function removeRevisions(
  cypher: Cypher,
  { tenant, repository }: { tenant: string; repository: string },
  now: number,
  signal?: AbortSignal,
): Promise<void> {
  const marked = await cypher.write(
    `MATCH (repository:CodeRepository {tenant: $tenant, name: $repository})
     SET repository.looked_at = $now
     WITH repository
     MATCH (revision:CodeRevision {tenant: $tenant, repository: $repository})
     WHERE revision.id <> repository.current AND (revision.removing_at IS NOT NULL
       OR revision.superseded_at <= $superseded
       OR (revision.superseded_at IS NULL AND revision.started_at <= $abandoned))
     WITH revision ORDER BY revision.started_at LIMIT $revisions
     SET revision.removing_at = coalesce(revision.removing_at, $now)
     RETURN revision.id AS id`,
    {
      ...{ tenant, repository },
      now: int(now),
      superseded: int(now - SUPERSEDED_MS_MIN),
      abandoned: int(now - ABANDONED_MS_MIN),
      revisions: int(REVISIONS_AT_ONCE),
    },
  );
  let batches = 0;
  for (const { id } of marked) {
    for (const label of ["CodeTest", "CodeChunk", "CodeFile"]) {
      for (let removed = NODES_AT_ONCE; removed === NODES_AT_ONCE; ) {
        signal?.throwIfAborted();
        batches += 1;
        if (batches > BATCHES_MAX) return;
        const [row] = await cypher.write(
          `MATCH (node:${label} {revision_id: $id}) WITH node LIMIT $nodes
           DETACH DELETE node RETURN count(*) AS removed`,
          { id, nodes: int(NODES_AT_ONCE) },
        );
        removed = Number(row?.removed ?? 0);
      }
    }
    await cypher.write("MATCH (revision:CodeRevision {id: $id}) DELETE revision", { id });
  }
}
