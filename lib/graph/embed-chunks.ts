import type { Embedder } from "#lib/embedding/embedder.ts";
import { embeddingText } from "#lib/graph/embedding-text.ts";
import { type Snapshot, type SnapshotChunk, vectorAt } from "#lib/graph/snapshot.ts";
import type { GraphConfig } from "#schemas/config/graph.ts";

export interface EmbeddedChunks {
  chunks: SnapshotChunk[];
  vectors: Float32Array;
  /** Texts given to the embedder now. */
  embedded: number;
  /** Chunks whose vector was known from the previous snapshot. */
  reused: number;
}

/** Lower is embedded first when there are more chunks than may be. */
function priority({ symbol, exported, kind }: SnapshotChunk): number {
  if (symbol !== null) return exported ? 0 : 1;
  return kind === "section" ? 2 : 3;
}

/**
 * Gives the `chunks_max` most telling chunks a vector. A text known to the previous snapshot or
 * met twice is not embedded again; which chunks get one depends on the tree alone.
 */
export async function embedChunks(
  chunks: readonly SnapshotChunk[],
  previous: Snapshot | undefined,
  embedder: Embedder,
  limits: Pick<GraphConfig, "chunks_max" | "chunk_characters_max">,
  signal?: AbortSignal,
): Promise<EmbeddedChunks> {
  const chosen = chunks
    .map((chunk, place) => ({ place, rank: priority(chunk) }))
    .sort((a, b) => a.rank - b.rank || a.place - b.place)
    .slice(0, limits.chunks_max);
  const known = knownVectors(previous, embedder);
  const rows = new Map<string, number>();
  const missing = new Map<string, string>();
  const embedded_chunks = chunks.map((chunk): SnapshotChunk => ({ ...chunk, vector: null }));
  let reused = 0;
  for (const { place } of chosen) {
    const chunk = embedded_chunks[place];
    if (!chunk) continue;
    const { content_hash } = chunk;
    const row = rows.get(content_hash) ?? rows.size;
    rows.set(content_hash, row);
    chunk.vector = row;
    if (known.has(content_hash)) reused++;
    else missing.set(content_hash, embeddingText(chunk, limits.chunk_characters_max));
  }
  const fresh = await embedder.embed([...missing.values()], signal);
  for (const [index, content_hash] of [...missing.keys()].entries()) {
    const vector = fresh[index];
    if (vector) known.set(content_hash, vector);
  }
  const vectors = new Float32Array(rows.size * embedder.dimensions);
  for (const [content_hash, row] of rows) {
    const vector = known.get(content_hash);
    if (vector?.length !== embedder.dimensions) throw new Error(`${embedder.name} gave a vector of no use.`);
    vectors.set(vector, row * embedder.dimensions);
  }
  return { chunks: embedded_chunks, vectors, embedded: missing.size, reused };
}

function knownVectors(previous: Snapshot | undefined, embedder: Embedder): Map<string, Float32Array> {
  const known = new Map<string, Float32Array>();
  if (previous?.embedder !== embedder.name || previous.dimensions !== embedder.dimensions) return known;
  for (const { content_hash, vector } of previous.chunks) {
    if (vector !== null) known.set(content_hash, vectorAt(previous, vector));
  }
  return known;
}
