import { LRUCache } from "lru-cache";
import { type GraphFault, storedVectors, type VectorFaultCode } from "#lib/code/graph/graph-faults.ts";
import type { WrittenRevision } from "#lib/code/graph/neo4j-revisions.ts";
import { vectorIndexFault } from "#lib/code/graph/neo4j-schema.ts";
import { type Cypher, int } from "#lib/code/neo4j/cypher.ts";
import { TerminalFault } from "#lib/platform/errors/fault.ts";

const SOUND_KEPT_MAX = 1000;
/** How long a revision that was found sound is not looked at again. */
const SOUND_MS = 60_000;

/** Revisions that were found sound, by connection. A sound revision changes only if somebody else changes the database. */
const sound = new WeakMap<Cypher, LRUCache<string, true>>();

/**
 * What is wrong with the vectors of a revision and with their index. One pass over the revision's vectors, once a
 * minute.
 *
 * @throws TerminalFault `SNAPSHOT_INCOMPLETE` when chunks of the revision are missing
 */
export async function revisionFaults(
  cypher: Cypher,
  repository: string,
  written: WrittenRevision,
): Promise<GraphFault[]> {
  const known = sound.get(cypher) ?? new LRUCache<string, true>({ max: SOUND_KEPT_MAX, ttl: SOUND_MS });
  sound.set(cypher, known);
  if (known.has(written.id)) return [];
  const faults = await vectorFaults(cypher, repository, written);
  if (written.vectors > 0) {
    const fault = await vectorIndexFault(cypher, written.dimensions);
    if (fault) faults.push(fault);
  }
  if (faults.length === 0) known.set(written.id, true);
  return faults;
}

/** Larger than any number of a vector of unit length; infinity is larger too. */
const NUMBER_MAX = 1e6;

async function vectorFaults(
  cypher: Cypher,
  repository: string,
  { id, chunks, embedded, dimensions }: WrittenRevision,
): Promise<GraphFault[]> {
  const [row] = await cypher.read(
    `MATCH (chunk:CodeChunk {revision_id: $id})
     WITH chunk.vector_row AS place, chunk.vector AS vector
     RETURN count(*) AS chunks,
       count(CASE WHEN place IS NOT NULL AND (vector IS NULL OR size(vector) <> $dimensions) THEN 1 END) AS length,
       count(CASE WHEN any(x IN vector WHERE isNaN(x) OR abs(x) > $number_max) THEN 1 END) AS not_finite,
       count(CASE WHEN size(vector) > 0 AND all(x IN vector WHERE x = 0) THEN 1 END) AS zero,
       count(place) AS embedded`,
    { id, dimensions: int(dimensions), number_max: NUMBER_MAX },
  );
  if (Number(row?.chunks ?? 0) !== chunks) {
    throw new TerminalFault(
      "SNAPSHOT_INCOMPLETE",
      `Parts of the index of ${repository} are missing in Neo4j; index the repository again to replace it.`,
    );
  }
  const counts: Readonly<Record<VectorFaultCode, number>> = {
    VECTOR_DIMENSION: Number(row?.length ?? 0) + Math.max(0, embedded - Number(row?.embedded ?? 0)),
    VECTOR_NOT_FINITE: Number(row?.not_finite ?? 0),
    VECTOR_ZERO: Number(row?.zero ?? 0),
  };
  const found = Object.entries(counts) as [VectorFaultCode, number][];
  return found.filter(([, count]) => count > 0).map(([code, count]) => storedVectors(code, count));
}
