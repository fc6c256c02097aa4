import type { SnapshotChunk } from "#lib/code/graph/snapshot.ts";

/** Found by words; chunks are named by their place in the snapshot, as everywhere here. */
export interface WordHit {
  chunk: number;
  /** Words of the query found in the chunk. */
  words: string[];
  has_vector: boolean;
}

export interface VectorHit {
  chunk: number;
  cosine: number;
}

/** What an answer says of a chunk. */
export interface ChunkFacts
  extends Pick<SnapshotChunk, "symbol" | "kind" | "start_line" | "end_line" | "excerpt"> {
  path: string;
  /** It calls the chunk that was asked about beside it. */
  calls_best: boolean;
  /** Of files that call the chunk; the first few. */
  failing_tests: { name: string; path: string }[];
}

export const EXCERPT_CHARACTERS_MAX = 1500;
export const TESTS_NAMED_MAX = 3;

/** The searches over one revision of one tenant's repository. Each gives its best first. */
export interface SearchIndex {
  byWords(query: string, hits_max: number): Promise<WordHit[]>;
  /** `vector` is of unit length. */
  byMeaning(vector: Float32Array, hits_max: number): Promise<VectorHit[]>;
  /** Chunks whose symbol the query names, with the name as the symbol has it. */
  byName(query: string): Promise<Map<number, string>>;
  /** What is known of `chunks`, in any order; `best` is one of them. */
  describe(chunks: readonly number[], best: number): Promise<Map<number, ChunkFacts>>;
}

/** A revision that questions can be put to. */
export interface SearchableRevision extends SearchIndex {
  revision: string;
  /** Whose vectors it has; undefined when it has none. */
  embedder: string | undefined;
}
