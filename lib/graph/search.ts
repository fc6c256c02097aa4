import { explain } from "#lib/graph/explain.ts";
import type { Found } from "#lib/graph/found.ts";
import { type LexicalIndex, lexicalIndex } from "#lib/graph/lexical-index.ts";
import { matchNames } from "#lib/graph/match-names.ts";
import { nearest } from "#lib/graph/nearest.ts";
import type { Snapshot } from "#lib/graph/snapshot.ts";
import type { GraphConfig } from "#schemas/config/graph.ts";
import type { QueryAnswer } from "#schemas/http/query-answer.ts";

export interface Query {
  text: string;
  /** Of the snapshot's embedder; without one the search is by names and words alone. */
  vector?: Float32Array;
  limit: number;
}

const EXCERPT_CHARACTERS_MAX = 1500;

/** Indexes live as long as their snapshot is cached. */
const indexes = new WeakMap<Snapshot, Promise<LexicalIndex>>();

function indexOf(snapshot: Snapshot): Promise<LexicalIndex> {
  const index = indexes.get(snapshot) ?? lexicalIndex(snapshot);
  indexes.set(snapshot, index);
  return index;
}

/**
 * Finds chunks by name, by words (BM25) and by meaning (cosine), and fuses the two rankings by
 * reciprocal rank (Cormack, Clarke, Büttcher 2009, https://doi.org/10.1145/1571941.1572114).
 * A symbol the query names comes before all others.
 */
export async function rank(
  snapshot: Snapshot,
  query: Query,
  settings: Pick<GraphConfig, "fusion_k" | "candidates">,
): Promise<Found[]> {
  const found = new Map<number, Found>();
  const at = (chunk: number): Found => {
    const known = found.get(chunk) ?? { chunk, score: 0 };
    found.set(chunk, known);
    return known;
  };
  const { fusion_k, candidates } = settings;
  const hits = (await indexOf(snapshot)).search(query.text, candidates);
  for (const [index, { chunk, words }] of hits.entries()) {
    const entry = at(chunk);
    entry.words = { rank: index + 1, words };
    // What has no vector cannot be found by meaning: its rank by words stands for both.
    const stands_for = query.vector && snapshot.chunks[chunk]?.vector === null ? 2 : 1;
    entry.score += stands_for / (fusion_k + index + 1);
  }
  const near = query.vector ? nearest(snapshot, query.vector, candidates) : [];
  for (const [index, { chunk, cosine }] of near.entries()) {
    const entry = at(chunk);
    entry.meaning = { rank: index + 1, cosine };
    entry.score += 1 / (fusion_k + index + 1);
  }
  let named = 0;
  for (const [chunk, name] of matchNames(snapshot, query.text)) {
    const entry = at(chunk);
    entry.name = name;
    entry.score += 1 + 1 / (fusion_k + ++named);
  }
  return [...found.values()].sort((a, b) => b.score - a.score || a.chunk - b.chunk).slice(0, query.limit);
}

/** The answer of `POST /api/query` over one snapshot. */
export async function search(
  snapshot: Snapshot,
  query: Query,
  settings: Pick<GraphConfig, "fusion_k" | "candidates">,
): Promise<QueryAnswer["results"]> {
  const ranked = await rank(snapshot, query, settings);
  const top = ranked[0]?.chunk;
  return ranked.flatMap((found) => {
    const chunk = snapshot.chunks[found.chunk];
    if (!chunk) return [];
    const path = snapshot.files[chunk.file]?.path ?? "";
    const { kind, start_line, end_line } = chunk;
    const excerpt = chunk.excerpt.slice(0, EXCERPT_CHARACTERS_MAX);
    const why = explain(snapshot, found, top);
    return [
      { symbol: chunk.symbol ?? path, kind, path, start_line, end_line, excerpt, score: found.score, why },
    ];
  });
}
