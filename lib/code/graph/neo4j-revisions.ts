import { createHash } from "node:crypto";
import type { Snapshot } from "#lib/code/graph/snapshot.ts";
import { type Cypher, int } from "#lib/code/neo4j/cypher.ts";
import { RetryableFault } from "#lib/platform/errors/fault.ts";

/** One written revision, as its node says. */
export interface WrittenRevision {
  id: string;
  /** Of all that is in it: two of the same are the same index. */
  content_sha256: string;
  revision: string;
  embedder: string;
  dimensions: number;
  vectors: number;
  embedded: number;
  files: number;
  chunks: number;
  imports: number;
  calls: number;
  tests: number;
}

export function describeRevision(snapshot: Snapshot, id: string): WrittenRevision {
  const { vectors, ...body } = snapshot;
  const bytes = new Uint8Array(vectors.buffer, vectors.byteOffset, vectors.byteLength);
  const content_sha256 = createHash("sha256").update(JSON.stringify(body)).update(bytes).digest("hex");
  const { revision, embedder, dimensions, files, chunks, imports, calls, tests } = body;
  return {
    ...{ id, content_sha256, revision, embedder, dimensions },
    vectors: vectors.length / dimensions,
    embedded: chunks.filter(({ vector }) => vector !== null).length,
    files: files.length,
    chunks: chunks.length,
    imports: imports.length,
    calls: calls.length,
    tests: tests.length,
  };
}

/** The revision that readers see. */
export async function currentRevision(
  cypher: Cypher,
  tenant: string,
  repository: string,
): Promise<WrittenRevision | undefined> {
  const [row] = await cypher.read(
    `MATCH (repository:CodeRepository {tenant: $tenant, name: $repository})
     MATCH (revision:CodeRevision {id: repository.current, tenant: $tenant})
     RETURN properties(revision) AS revision`,
    { tenant, repository },
  );
  return row?.revision as WrittenRevision | undefined;
}

/** Whether all its nodes are there, as they are unless somebody else changed the database. */
export async function isWhole(cypher: Cypher, written: WrittenRevision): Promise<boolean> {
  const kinds = { files: "CodeFile", chunks: "CodeChunk", tests: "CodeTest" } as const;
  const counts = Object.entries(kinds).map(
    ([kind, label]) => `COUNT { (:${label} {revision_id: $id}) } AS ${kind}`,
  );
  const [row] = await cypher.read(`RETURN ${counts.join(", ")}`, { id: written.id });
  return row?.files === written.files && row?.chunks === written.chunks && row?.tests === written.tests;
}

/** Notes that a revision is being written, so that what a crash leaves of it is found again. */
export async function beginRevision(
  cypher: Cypher,
  snapshot: Pick<Snapshot, "tenant" | "repository">,
  revision: WrittenRevision,
  now: number,
): Promise<void> {
  const numbers = Object.entries(revision).filter(([, value]) => typeof value === "number");
  const properties = {
    ...revision,
    ...Object.fromEntries(numbers.map(([name, value]) => [name, int(value)])),
  };
  await cypher.write(
    `MERGE (revision:CodeRevision {id: $id})
     SET revision += $properties, revision.tenant = $tenant, revision.repository = $repository,
         revision.started_at = $now`,
    { id: revision.id, properties, tenant: snapshot.tenant, repository: snapshot.repository, now: int(now) },
  );
}

/**
 * Makes a whole revision the current one, in one transaction: its first write takes the lock on the
 * repository's node, so of two that do this at once the later is current and neither is lost.
 *
 * @throws RetryableFault `REVISION_REMOVED` when it took so long that it counted as abandoned
 */
export async function moveToRevision(
  cypher: Cypher,
  snapshot: Pick<Snapshot, "tenant" | "repository">,
  revision_id: string,
  now: number,
): Promise<void> {
  const moved = await cypher.write(
    `MERGE (repository:CodeRepository {tenant: $tenant, name: $repository})
     SET repository.moved_at = $now
     WITH repository
     MATCH (next:CodeRevision {id: $revision_id}) WHERE next.removing_at IS NULL
     OPTIONAL MATCH (last:CodeRevision {id: repository.current}) WHERE last.id <> next.id
     SET last.superseded_at = $now, next.superseded_at = null, repository.current = next.id,
         repository.version = coalesce(repository.version, 0) + 1
     RETURN repository.version AS version`,
    { tenant: snapshot.tenant, repository: snapshot.repository, revision_id, now: int(now) },
  );
  if (moved.length > 0) return;
  throw new RetryableFault(
    "REVISION_REMOVED",
    `Writing the index of ${snapshot.repository} took so long that it was cleared away as abandoned; it is written again.`,
  );
}

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
