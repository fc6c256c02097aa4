import type { WrittenRevision } from "#lib/code/graph/neo4j-pointer.ts";
import { type Snapshot, SnapshotBody, type SnapshotChunk } from "#lib/code/graph/snapshot.ts";
import { type Cypher, int, type Row } from "#lib/code/neo4j/cypher.ts";

const CHUNKS_AT_ONCE = 1000;

const CHUNK_FIELDS = [
  ...["file", "symbol", "kind", "exported", "start_line", "end_line"],
  ...["signature", "doc", "excerpt", "content_hash"],
].map((field) => `.${field}`);

/**
 * A whole revision as it was written, or undefined when some of it is gone. Places are part of what was
 * written, so that the same snapshot comes back, number for number.
 */
export async function readRevision(
  cypher: Cypher,
  { tenant, repository }: { tenant: string; repository: string },
  written: WrittenRevision,
): Promise<Snapshot | undefined> {
  const parameters = { tenant, revision_id: written.id };
  const read = (statement: string) => cypher.read(statement, parameters);
  const files = await read(
    `MATCH (file:CodeFile {revision_id: $revision_id, tenant: $tenant})
     RETURN file.path AS path, file.language AS language, file.sha256 AS sha256 ORDER BY file.place`,
  );
  const { chunks, vectors } = await readChunks(cypher, parameters, written);
  const imports = await read(
    `MATCH (from:CodeFile {revision_id: $revision_id, tenant: $tenant})-[edge:IMPORTS]->(to)
     RETURN [from.place, to.place] AS pair ORDER BY edge.place`,
  );
  const calls = await read(
    `MATCH (to:CodeChunk {revision_id: $revision_id, tenant: $tenant})<-[edge:CALLS]-(from)
     RETURN [edge.file, CASE WHEN from:CodeChunk THEN from.place END, to.place] AS pair ORDER BY edge.place`,
  );
  const tests = await read(
    `MATCH (test:CodeTest {revision_id: $revision_id, tenant: $tenant})
     RETURN test.file AS file, test.name AS name, test.status AS status ORDER BY test.place`,
  );
  const found = { files, chunks, imports, calls, tests };
  const counted = ["files", "chunks", "imports", "calls", "tests"] as const;
  if (counted.some((kind) => found[kind].length !== written[kind])) return undefined;
  const { revision, embedder, dimensions } = written;
  const body = SnapshotBody.safeParse({
    ...{ schema_version: 1, tenant, repository, revision, embedder, dimensions, files, chunks, tests },
    imports: imports.map(({ pair }) => pair),
    calls: calls.map(({ pair }) => pair),
  });
  return body.success ? { ...body.data, vectors } : undefined;
}

/** By ranges of places, for a repository may be large and its vectors are. */
async function readChunks(
  cypher: Cypher,
  parameters: { tenant: string; revision_id: string },
  { chunks: count, vectors: rows, dimensions }: WrittenRevision,
): Promise<{ chunks: SnapshotChunk[]; vectors: Float32Array }> {
  const chunks: SnapshotChunk[] = [];
  const vectors = new Float32Array(rows * dimensions);
  for (let from = 0; from < count; from += CHUNKS_AT_ONCE) {
    const range = { from: int(from), to: int(from + CHUNKS_AT_ONCE) };
    const found = await cypher.read(
      `MATCH (chunk:CodeChunk {revision_id: $revision_id, tenant: $tenant})
       WHERE chunk.place >= $from AND chunk.place < $to
       RETURN chunk {${CHUNK_FIELDS.join(", ")}, vector: chunk.vector_row} AS chunk, chunk.vector AS vector
       ORDER BY chunk.place`,
      { ...parameters, ...range },
    );
    for (const { chunk, vector } of found as (Row & { chunk: SnapshotChunk; vector: number[] | null })[]) {
      chunks.push(chunk);
      if (chunk.vector !== null && vector) vectors.set(vector, chunk.vector * dimensions);
    }
  }
  return { chunks, vectors };
}
