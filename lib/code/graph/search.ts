import { asksForNames } from "#lib/code/graph/code-words.ts";
import type { EmbedderIdentity, GraphFault } from "#lib/code/graph/graph-faults.ts";
import type { SnapshotChunk } from "#lib/code/graph/snapshot.ts";
import type { GraphConfig } from "#schemas/config/graph.ts";
import type { QueryAnswer } from "#schemas/http/query-answer.ts";

/** A chunk found by words. `chunk` is an index into the snapshot's chunks. */
export interface WordHit {
  chunk: number;
  /** By BM25; its scale differs from store to store. */
  score: number;
  /** Words of the query found in the chunk. */
  words: string[];
  has_vector: boolean;
  /** True for a symbol that is private by its name, or declared inside another. */
  inner: boolean;
}

export interface VectorHit {
  chunk: number;
  cosine: number;
  inner: boolean;
}

/** What an answer tells about a chunk. */
export interface ChunkFacts
  extends Pick<SnapshotChunk, "symbol" | "kind" | "start_line" | "end_line" | "excerpt"> {
  path: string;
  /** True when this chunk calls the best result. */
  calls_best: boolean;
  /** Failing tests in files that call the chunk; at most `TESTS_NAMED_MAX`. */
  failing_tests: { name: string; path: string }[];
}

export const EXCERPT_CHARACTERS_MAX = 1500;
export const TESTS_NAMED_MAX = 3;

/** The searches over one revision of one tenant's repository. Each returns its best hit first. */
export interface SearchIndex {
  byWords(query: string, hits_max: number): Promise<WordHit[]>;
  /** `vector` is of unit length. */
  byMeaning(vector: Float32Array, hits_max: number): Promise<VectorHit[]>;
  /** Chunks whose symbol the query names, with the name as it is declared. */
  byName(query: string): Promise<Map<number, string>>;
  /** The facts about `chunks`, in any order; `best` is the best result among them. */
  describe(chunks: readonly number[], best: number): Promise<Map<number, ChunkFacts>>;
}

/** A revision that can be searched. */
export interface SearchableRevision extends SearchIndex {
  revision: string;
  /** What made its vectors; undefined without vectors. */
  embedder: EmbedderIdentity | undefined;
  /** What is wrong with its stored vectors: with any of it, only names and words may be searched. */
  faults: readonly GraphFault[];
}

export interface Query {
  text: string;
  /** Embedding of the text by the index's model; without it only names and words are searched. */
  vector?: Float32Array;
  limit: number;
}

type SearchSettings = Pick<GraphConfig, "meaning_weight" | "candidates">;

/** What a private or inner symbol's score is multiplied by: questions are about what others may use. */
const INNER_FACTOR = 0.7;
/** What a symbol gains that a longer question names in passing. */
const NAMED_IN_PASSING = 0.1;

/**
 * Finds chunks by name, by words and by meaning (cosine), and adds the scores of both searches, each brought to 0 … 1
 * over what it found: a weighted sum ranks better than reciprocal ranks, which forget how far apart the hits are (Bruch,
 * Gai, Ingber 2023, https://doi.org/10.1145/3596512). A symbol that the query asks for by name comes before all others;
 * one that is named among many other words only gains a little.
 */
export async function rank(index: SearchIndex, query: Query, settings: SearchSettings): Promise<Found[]> {
  const found = new Map<number, Found>();
  const at = (chunk: number): Found => {
    const known = found.get(chunk) ?? { chunk, score: 0 };
    found.set(chunk, known);
    return known;
  };
  const { candidates } = settings;
  const vector = query.vector?.some((number) => number !== 0) ? query.vector : undefined;
  const [hits, near, names] = await Promise.all([
    index.byWords(query.text, candidates),
    vector ? index.byMeaning(vector, candidates) : [],
    index.byName(query.text),
  ]);
  const by_meaning = near.length > 0 ? settings.meaning_weight : 0;
  const best_words = Math.max(...hits.map(({ score }) => score), Number.MIN_VALUE);
  for (const [place, { chunk, score, words, has_vector, inner }] of hits.entries()) {
    const entry = at(chunk);
    entry.words = { rank: place + 1, words };
    // A chunk without a vector cannot be found by meaning, so its words count for both.
    const weight = has_vector ? 1 - by_meaning : 1;
    entry.score += (weight * (inner ? INNER_FACTOR : 1) * score) / best_words;
  }
  const [nearest = 0, farthest = 0] = [near[0]?.cosine, near.at(-1)?.cosine];
  for (const [place, { chunk, cosine, inner }] of near.entries()) {
    const entry = at(chunk);
    entry.meaning = { rank: place + 1, cosine };
    const scaled = nearest > farthest ? (cosine - farthest) / (nearest - farthest) : 1;
    entry.score += by_meaning * (inner ? INNER_FACTOR : 1) * scaled;
  }
  const decisive = asksForNames(query.text);
  let named = 0;
  for (const [chunk, name] of names) {
    const entry = at(chunk);
    entry.name = name;
    entry.score += decisive ? 1 + 1 / ++named : NAMED_IN_PASSING;
  }
  return [...found.values()].sort((a, b) => b.score - a.score || a.chunk - b.chunk).slice(0, query.limit);
}

/** The answer of `POST /api/query` over one revision. */
export async function search(
  index: SearchIndex,
  query: Query,
  settings: SearchSettings,
): Promise<QueryAnswer["results"]> {
  const ranked = await rank(index, query, settings);
  const best = ranked[0]?.chunk;
  if (best === undefined) return [];
  const facts = await index.describe(
    ranked.map(({ chunk }) => chunk),
    best,
  );
  const best_symbol = facts.get(best)?.symbol ?? undefined;
  return ranked.flatMap((found) => {
    const known = facts.get(found.chunk);
    if (!known) return [];
    const { kind, path, start_line, end_line, excerpt } = known;
    const why = explain(found, known, best_symbol);
    return [
      { symbol: known.symbol ?? path, kind, path, start_line, end_line, excerpt, score: found.score, why },
    ];
  });
}

/** How one chunk was found. Ranks count from 1. */
export interface Found {
  chunk: number;
  score: number;
  name?: string;
  words?: { rank: number; words: string[] };
  meaning?: { rank: number; cosine: number };
}

function ordinal(rank: number): string {
  const teen = rank % 100 >= 11 && rank % 100 <= 13;
  const ending = teen ? "th" : (["th", "st", "nd", "rd"][rank % 10] ?? "th");
  return `${rank}${ending}`;
}

/** Explains a result in sentences: which search found it at what rank, its calls and its failing tests. */
function explain(found: Found, facts: ChunkFacts, best_symbol: string | undefined): string[] {
  const why: string[] = [];
  if (found.name !== undefined) why.push(`symbol name matches \`${found.name}\``);
  if (found.words) why.push(`${ordinal(found.words.rank)} by words: ${found.words.words.join(", ")}`);
  if (found.meaning) {
    why.push(`${ordinal(found.meaning.rank)} by meaning (cosine ${found.meaning.cosine.toFixed(2)})`);
  }
  if (best_symbol && facts.calls_best) why.push(`calls \`${best_symbol}\`, the best result`);
  const failing = facts.failing_tests.map(
    ({ name, path }) => `covered by failing test \`${name}\` in ${path}`,
  );
  return [...why, ...failing];
}
