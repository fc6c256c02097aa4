import { codeWords, simpleName, stem, wordFields } from "#lib/code/graph/code-words.ts";
import type { WrittenRevision } from "#lib/code/graph/neo4j-revisions.ts";
import { nameKey, wordsProperty } from "#lib/code/graph/neo4j-schema.ts";
import { type Snapshot, SnapshotBody, type SnapshotChunk, vectorAt } from "#lib/code/graph/snapshot.ts";
import { type Cypher, int, type Row } from "#lib/code/neo4j/cypher.ts";

/** Smaller than `ROWS_WRITTEN_AT_ONCE`, because a chunk carries its vector and text. */
const CHUNKS_WRITTEN_AT_ONCE = 250;
const ROWS_WRITTEN_AT_ONCE = 2000;

const FILES = `UNWIND $rows AS row
MERGE (file:CodeFile {revision_id: $revision_id, place: row.place})
SET file += row.properties, file.tenant = $tenant, file.repository = $repository`;

const CHUNKS = `UNWIND $rows AS row
MERGE (chunk:CodeChunk {revision_id: $revision_id, place: row.place})
SET chunk += row.properties, chunk.tenant = $tenant, chunk.repository = $repository, chunk.file = row.file
WITH chunk
MATCH (file:CodeFile {revision_id: $revision_id, place: chunk.file})
MERGE (file)-[:DEFINES]->(chunk)`;

const IMPORTS = `UNWIND $rows AS row
MATCH (from:CodeFile {revision_id: $revision_id, place: row.from})
MATCH (to:CodeFile {revision_id: $revision_id, place: row.to})
MERGE (from)-[edge:IMPORTS {place: row.place}]->(to)`;

const callsFrom = (label: string) => `UNWIND $rows AS row
MATCH (from:${label} {revision_id: $revision_id, place: row.from})
MATCH (to:CodeChunk {revision_id: $revision_id, place: row.to})
MERGE (from)-[edge:CALLS {place: row.place}]->(to)
SET edge.file = row.file`;

const TESTS = `UNWIND $rows AS row
MERGE (test:CodeTest {revision_id: $revision_id, place: row.place})
SET test += row.properties, test.tenant = $tenant, test.repository = $repository
WITH test
MATCH (file:CodeFile {revision_id: $revision_id, place: test.file})
MERGE (test)-[:IN]->(file)`;

/**
 * Writes a snapshot's nodes and edges under an id nobody reads yet, one bounded batch per transaction. Every
 * statement may be repeated. Stops between two batches when `signal` is aborted.
 */
export async function writeRevision(
  snapshot: Snapshot,
  revision_id: string,
  cypher: Cypher,
  signal?: AbortSignal,
): Promise<void> {
  const { tenant, repository, files, chunks, imports, calls, tests } = snapshot;
  const write = async (statement: string, rows: Row[]) => {
    signal?.throwIfAborted();
    await cypher.write(statement, { rows, revision_id, tenant, repository });
  };
  const writeAll = async (statement: string, rows: Row[]) => {
    for (let from = 0; from < rows.length; from += ROWS_WRITTEN_AT_ONCE) {
      await write(statement, rows.slice(from, from + ROWS_WRITTEN_AT_ONCE));
    }
  };
  await writeAll(
    FILES,
    files.map((properties, place) => ({ place: int(place), properties })),
  );
  for (let from = 0; from < chunks.length; from += CHUNKS_WRITTEN_AT_ONCE) {
    await write(CHUNKS, chunkRows(snapshot, from, from + CHUNKS_WRITTEN_AT_ONCE));
  }
  await writeAll(
    IMPORTS,
    imports.map(([from, to], place) => ({ place: int(place), from: int(from), to: int(to) })),
  );
  const edges = calls.map(([file, from, to], place) => ({ file, from, to, place }));
  const rowOf = ({ file, from, to, place }: (typeof edges)[number]): Row => {
    return { place: int(place), file: int(file), from: int(from ?? file), to: int(to) };
  };
  await writeAll(callsFrom("CodeFile"), edges.filter(({ from }) => from === null).map(rowOf));
  await writeAll(callsFrom("CodeChunk"), edges.filter(({ from }) => from !== null).map(rowOf));
  await writeAll(
    TESTS,
    tests.map(({ file, name, status }, place) => {
      return { place: int(place), properties: { file: int(file), name, status } };
    }),
  );
}

/** Stemmed words joined by spaces, where the full-text index splits them again. */
function indexedWords(text: string): string {
  return codeWords(text).map(stem).join(" ");
}

/** The chunks with index `from` to `to` (exclusive), as rows for the statement `CHUNKS`. */
function chunkRows(snapshot: Snapshot, from: number, to: number): Row[] {
  return snapshot.chunks.slice(from, to).map((chunk, index) => {
    const { symbol, kind, exported, signature, doc, excerpt, content_hash } = chunk;
    const path = snapshot.files[chunk.file]?.path ?? "";
    const fields = Object.entries(wordFields(chunk, path));
    const properties: Row = {
      ...{ symbol, kind, exported, signature, doc, excerpt, content_hash },
      start_line: int(chunk.start_line),
      end_line: int(chunk.end_line),
      symbol_lower: symbol === null ? null : nameKey(symbol),
      simple_name_lower: symbol === null ? null : nameKey(simpleName(symbol)),
      vector_row: chunk.vector === null ? null : int(chunk.vector),
      vector: chunk.vector === null ? null : [...vectorAt(snapshot, chunk.vector)],
      ...Object.fromEntries(fields.map(([field, text]) => [wordsProperty(field), indexedWords(text)])),
    };
    return { place: int(from + index), file: int(chunk.file), properties };
  });
}

const CHUNKS_READ_AT_ONCE = 1000;

const CHUNK_FIELDS = [
  ...["file", "symbol", "kind", "exported", "start_line", "end_line"],
  ...["signature", "doc", "excerpt", "content_hash"],
].map((field) => `.${field}`);

/**
 * Reads a whole revision, or undefined when a part of it is missing. Indexes are stored too, so the same
 * snapshot comes back exactly.
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
  const { revision, embedder, dimensions, tokenizer_sha256 } = written;
  const body = SnapshotBody.safeParse({
    ...{ schema_version: 1, tenant, repository, revision, embedder, dimensions, files, chunks, tests },
    ...(tokenizer_sha256 !== undefined && { tokenizer_sha256 }),
    imports: imports.map(({ pair }) => pair),
    calls: calls.map(({ pair }) => pair),
  });
  return body.success ? { ...body.data, vectors } : undefined;
}

/** Reads chunks in batches, because their vectors are large. */
async function readChunks(
  cypher: Cypher,
  parameters: { tenant: string; revision_id: string },
  { chunks: count, vectors: rows, dimensions }: WrittenRevision,
): Promise<{ chunks: SnapshotChunk[]; vectors: Float32Array }> {
  const chunks: SnapshotChunk[] = [];
  const vectors = new Float32Array(rows * dimensions);
  for (let from = 0; from < count; from += CHUNKS_READ_AT_ONCE) {
    const range = { from: int(from), to: int(from + CHUNKS_READ_AT_ONCE) };
    const found = await cypher.read(
      `MATCH (chunk:CodeChunk {revision_id: $revision_id, tenant: $tenant})
       WHERE chunk.place >= $from AND chunk.place < $to
       RETURN chunk {${CHUNK_FIELDS.join(", ")}, vector: chunk.vector_row} AS chunk, chunk.vector AS vector
       ORDER BY chunk.place`,
      { ...parameters, ...range },
    );
    for (const { chunk, vector } of found as (Row & { chunk: SnapshotChunk; vector: number[] | null })[]) {
      chunks.push(chunk);
      // A vector of another length stays zero, which a reader refuses.
      if (chunk.vector === null || vector?.length !== dimensions || chunk.vector >= rows) continue;
      vectors.set(vector, chunk.vector * dimensions);
    }
  }
  return { chunks, vectors };
}
