import { chunkRows } from "#lib/code/graph/neo4j-chunk-rows.ts";
import type { Snapshot } from "#lib/code/graph/snapshot.ts";
import { type Cypher, int, type Row } from "#lib/code/neo4j/cypher.ts";

/** Chunks carry a vector and their text; the rest is small. */
const CHUNKS_AT_ONCE = 250;
const ROWS_AT_ONCE = 2000;

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
 * Writes a snapshot's nodes and edges under an id nobody reads yet, a bounded batch a transaction. Every
 * statement may be repeated. Ends between two batches once `signal` is aborted.
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
    for (let from = 0; from < rows.length; from += ROWS_AT_ONCE) {
      await write(statement, rows.slice(from, from + ROWS_AT_ONCE));
    }
  };
  await writeAll(
    FILES,
    files.map((properties, place) => ({ place: int(place), properties })),
  );
  for (let from = 0; from < chunks.length; from += CHUNKS_AT_ONCE) {
    await write(CHUNKS, chunkRows(snapshot, from, from + CHUNKS_AT_ONCE));
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
