import { createHash } from "node:crypto";
import type { Snapshot } from "#lib/code/graph/snapshot.ts";
import { type Cypher, int } from "#lib/code/neo4j/cypher.ts";
import { RetryableFault } from "#lib/platform/errors/fault.ts";

/** The properties of a revision's node. */
export interface WrittenRevision {
  id: string;
  /** Hash of the whole content: equal hashes mean equal indexes. */
  content_sha256: string;
  revision: string;
  embedder: string;
  dimensions: number;
  tokenizer_sha256?: string;
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
  const { revision, embedder, dimensions, tokenizer_sha256, files, chunks, imports, calls, tests } = body;
  return {
    ...{ id, content_sha256, revision, embedder, dimensions },
    ...(tokenizer_sha256 !== undefined && { tokenizer_sha256 }),
    vectors: vectors.length / dimensions,
    embedded: chunks.filter(({ vector }) => vector !== null).length,
    files: files.length,
    chunks: chunks.length,
    imports: imports.length,
    calls: calls.length,
    tests: tests.length,
  };
}

/** The current revision of a repository, which readers see. */
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

/** True when all nodes of the revision exist. A node is missing only if somebody else changed the database. */
export async function isWhole(cypher: Cypher, written: WrittenRevision): Promise<boolean> {
  const kinds = { files: "CodeFile", chunks: "CodeChunk", tests: "CodeTest" } as const;
  const counts = Object.entries(kinds).map(
    ([kind, label]) => `COUNT { (:${label} {revision_id: $id}) } AS ${kind}`,
  );
  const [row] = await cypher.read(`RETURN ${counts.join(", ")}`, { id: written.id });
  return row?.files === written.files && row?.chunks === written.chunks && row?.tests === written.tests;
}

/** Creates the revision's node first, so that nodes left by a crash can be found and removed. */
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
 * Makes a fully written revision the current one in one transaction. Its first write locks the repository's
 * node, so when two do this at once the later one is current and neither is lost.
 *
 * @throws RetryableFault `REVISION_REMOVED` when writing took so long that the revision was removed as abandoned
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
    `Writing the index of ${snapshot.repository} took so long that it was removed as abandoned; it is written again.`,
  );
}

/** A superseded revision is kept this long for readers that still use it; a query takes 30 seconds at most. */
const SUPERSEDED_MS_MIN = 60_000;
/** An unfinished revision older than this was left by a crash: one invocation takes 15 minutes at most. */
const ABANDONED_MS_MIN = 60 * 60_000;
const REVISIONS_AT_ONCE = 5;
const NODES_AT_ONCE = 1000;
/** At most 200,000 nodes are removed at once; the next publication removes the rest. */
const BATCHES_MAX = 200;

/**
 * Removes a repository's superseded and abandoned revisions, one bounded batch per transaction. A revision is
 * marked first, under the same lock as `moveToRevision`, so a revision that becomes current is never removed.
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
