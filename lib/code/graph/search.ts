import { explain } from "#lib/code/graph/explain.ts";
import type { Found } from "#lib/code/graph/found.ts";
import type { SearchIndex } from "#lib/code/graph/search-index.ts";
import type { GraphConfig } from "#schemas/config/graph.ts";
import type { QueryAnswer } from "#schemas/http/query-answer.ts";

export interface Query {
  text: string;
  /** Of the index's embedder; without one the search is by names and words alone. */
  vector?: Float32Array;
  limit: number;
}

type SearchSettings = Pick<GraphConfig, "fusion_k" | "candidates">;

/**
 * Finds chunks by name, by words and by meaning (cosine), and fuses the two rankings by reciprocal
 * rank (Cormack, Clarke, Büttcher 2009, https://doi.org/10.1145/1571941.1572114).
 * A symbol the query names comes before all others.
 */
export async function rank(index: SearchIndex, query: Query, settings: SearchSettings): Promise<Found[]> {
  const found = new Map<number, Found>();
  const at = (chunk: number): Found => {
    const known = found.get(chunk) ?? { chunk, score: 0 };
    found.set(chunk, known);
    return known;
  };
  const { fusion_k, candidates } = settings;
  const vector = query.vector?.some((number) => number !== 0) ? query.vector : undefined;
  const [hits, near, names] = await Promise.all([
    index.byWords(query.text, candidates),
    vector ? index.byMeaning(vector, candidates) : [],
    index.byName(query.text),
  ]);
  for (const [place, { chunk, words, has_vector }] of hits.entries()) {
    const entry = at(chunk);
    entry.words = { rank: place + 1, words };
    // What has no vector cannot be found by meaning: its rank by words stands for both.
    const stands_for = vector && !has_vector ? 2 : 1;
    entry.score += stands_for / (fusion_k + place + 1);
  }
  for (const [place, { chunk, cosine }] of near.entries()) {
    const entry = at(chunk);
    entry.meaning = { rank: place + 1, cosine };
    entry.score += 1 / (fusion_k + place + 1);
  }
  let named = 0;
  for (const [chunk, name] of names) {
    const entry = at(chunk);
    entry.name = name;
    entry.score += 1 + 1 / (fusion_k + ++named);
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
