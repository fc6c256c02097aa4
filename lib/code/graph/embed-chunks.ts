import type { Embedder } from "#lib/code/embedding/embedder.ts";
import { embeddingText } from "#lib/code/graph/chunk-file.ts";
import {
  type EmbedderIdentity,
  embedderFault,
  identityOf,
  type VectorFaultCode,
  vectorFault,
} from "#lib/code/graph/graph-faults.ts";
import { type Snapshot, type SnapshotChunk, vectorAt } from "#lib/code/graph/snapshot.ts";
import type { Runtime } from "#lib/platform/runtime/runtime.ts";
import type { GraphConfig } from "#schemas/config/graph.ts";

export interface EmbeddedChunks {
  chunks: SnapshotChunk[];
  vectors: Float32Array;
  /** Texts given to the embedder by this call. */
  embedded: number;
  /** Chunks whose vector was known from the previous snapshot. */
  reused: number;
  /** Texts that were not embedded because the time was over. */
  left_out: number;
  /** Vectors that the embedder gave and that cannot be compared, by fault. Their chunks are found by words. */
  refused: ReadonlyMap<VectorFaultCode, number>;
}

/** Texts given to the embedder at once; the time limit is checked between batches. */
const BATCH_TEXTS = 16;

/** Chunks with a lower number are embedded first when there are more than `chunks_max`. */
function priority({ symbol, exported, kind }: SnapshotChunk): number {
  if (symbol !== null) return exported ? 0 : 1;
  return kind === "section" ? 2 : 3;
}

interface EmbeddingOptions {
  embedder: Embedder;
  limits: Pick<GraphConfig, "chunks_max" | "chunk_characters_max" | "embedding_seconds_max">;
  runtime: Pick<Runtime, "now">;
  /** The repository's previous snapshot; its embeddings are reused for unchanged text. */
  previous?: Snapshot | undefined;
  signal?: AbortSignal;
}

/**
 * Embeds the `chunks_max` most important chunks. After `embedding_seconds_max` the remaining chunks get
 * no vector; indexing the repository again continues with them.
 */
export async function embedChunks(
  chunks: readonly SnapshotChunk[],
  options: EmbeddingOptions,
): Promise<EmbeddedChunks> {
  const { embedder, limits } = options;
  const chosen = chunks
    .map((chunk, place) => ({ place, chunk, rank: priority(chunk) }))
    .sort((a, b) => a.rank - b.rank || a.place - b.place)
    .slice(0, limits.chunks_max);
  const known = knownVectors(options.previous, await identityOf(embedder));
  const missing = new Map<string, string>();
  for (const { chunk } of chosen) {
    if (known.has(chunk.content_hash)) continue;
    missing.set(chunk.content_hash, embeddingText(chunk, limits.chunk_characters_max));
  }
  const { fresh, refused } = await embedWithin(missing, options);
  const refused_count = [...refused.values()].reduce((sum, count) => sum + count, 0);

  const rows = new Map<string, number>();
  const vectors: Float32Array[] = [];
  const row_of_place = new Map<number, number>();
  for (const { place, chunk } of chosen) {
    const vector = known.get(chunk.content_hash) ?? fresh.get(chunk.content_hash);
    if (!vector) continue;
    const row = rows.get(chunk.content_hash) ?? vectors.push(vector) - 1;
    rows.set(chunk.content_hash, row);
    row_of_place.set(place, row);
  }
  return {
    chunks: chunks.map((chunk, place) => ({ ...chunk, vector: row_of_place.get(place) ?? null })),
    vectors: joined(vectors, embedder.dimensions),
    embedded: fresh.size,
    reused: chosen.filter(({ chunk }) => known.has(chunk.content_hash)).length,
    left_out: missing.size - fresh.size - refused_count,
    refused,
  };
}

async function embedWithin(
  texts: ReadonlyMap<string, string>,
  { embedder, limits, runtime, signal }: EmbeddingOptions,
): Promise<{ fresh: Map<string, Float32Array>; refused: Map<VectorFaultCode, number> }> {
  const end = runtime.now() + limits.embedding_seconds_max * 1000;
  const hashes = [...texts.keys()];
  const fresh = new Map<string, Float32Array>();
  const refused = new Map<VectorFaultCode, number>();
  for (let from = 0; from < hashes.length && runtime.now() < end; from += BATCH_TEXTS) {
    const batch = hashes.slice(from, from + BATCH_TEXTS);
    const vectors = await embedder.embed(
      batch.map((hash) => texts.get(hash) ?? ""),
      signal,
    );
    for (const [index, hash] of batch.entries()) {
      const vector = vectors[index] ?? new Float32Array();
      const fault = vectorFault(vector, embedder.dimensions);
      if (fault) refused.set(fault, (refused.get(fault) ?? 0) + 1);
      else fresh.set(hash, vector);
    }
  }
  return { fresh, refused };
}

function joined(vectors: readonly Float32Array[], dimensions: number): Float32Array {
  const all = new Float32Array(vectors.length * dimensions);
  for (const [row, vector] of vectors.entries()) all.set(vector, row * dimensions);
  return all;
}

/** The vectors of the previous snapshot that this embedder made and that can be compared, by the hash of their text. */
function knownVectors(previous: Snapshot | undefined, running: EmbedderIdentity): Map<string, Float32Array> {
  const known = new Map<string, Float32Array>();
  if (!previous) return known;
  const { embedder: name, dimensions, tokenizer_sha256, chunks } = previous;
  if (embedderFault({ name, dimensions, tokenizer_sha256 }, running)) return known;
  for (const { content_hash, vector: row } of chunks) {
    const vector = row === null ? undefined : vectorAt(previous, row);
    if (vector && !vectorFault(vector, dimensions)) known.set(content_hash, vector);
  }
  return known;
}
