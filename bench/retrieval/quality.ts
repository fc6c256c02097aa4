import MiniSearch from "minisearch";
import { codeWords, stem, wordFields, wordsAsked } from "#lib/code/graph/code-words.ts";
import { rank, type SearchIndex } from "#lib/code/graph/search.ts";
import type { Snapshot } from "#lib/code/graph/snapshot.ts";
import type { GraphConfig } from "#schemas/config/graph.ts";
import type { AskedQuestion } from "./question-corpus.ts";

/** How the questions were searched: three methods to compare with, the system's words alone, and the system. */
export const METHODS = ["BM25", "vectors alone", "rank fusion", "our words", "ours"] as const;
type Method = (typeof METHODS)[number];

/** The rank of each question's function by each method; Infinity where it was not among the hits. */
export type Ranks = Record<Method, number[]>;

/** Hits looked at of each method. */
const HITS = 200;
/** The constant of reciprocal rank fusion that its authors use: https://doi.org/10.1145/1571941.1572114 */
const FUSION_K = 60;

/** Asks every question by every method. `index` is the system's own search over the snapshot. */
export async function askAll(
  index: SearchIndex,
  snapshot: Snapshot,
  questions: readonly AskedQuestion[],
  settings: GraphConfig,
): Promise<{ ranks: Ranks; milliseconds: number }> {
  const ranks: Ranks = { BM25: [], "vectors alone": [], "rank fusion": [], "our words": [], ours: [] };
  const plain = plainBm25(snapshot);
  let milliseconds = 0;
  for (const { text, vector, chunk } of questions) {
    const place = (method: Method, hits: readonly number[]) =>
      ranks[method].push(hits.includes(chunk) ? hits.indexOf(chunk) + 1 : Number.POSITIVE_INFINITY);
    const by_words = plain(text);
    const near = (await index.byMeaning(vector, HITS)).map((hit) => hit.chunk);
    place("BM25", by_words);
    place("vectors alone", near);
    place("rank fusion", fused(by_words, near));
    place("our words", await ranked(index, { text, limit: HITS }, settings));
    const started = performance.now();
    const ours = await ranked(index, { text, vector, limit: HITS }, settings);
    milliseconds += performance.now() - started;
    place("ours", ours);
  }
  return { ranks, milliseconds };
}

async function ranked(index: SearchIndex, query: Parameters<typeof rank>[1], settings: GraphConfig) {
  return (await rank(index, query, settings)).map(({ chunk }) => chunk);
}

/** BM25 with its usual constants over the words of a chunk, all fields alike. */
function plainBm25(snapshot: Snapshot): (query: string) => number[] {
  const index = new MiniSearch<{ id: number; text: string }>({
    fields: ["text"],
    tokenize: codeWords,
    processTerm: stem,
  });
  const textOf = (place: number) => {
    const chunk = snapshot.chunks[place];
    if (!chunk) return "";
    return Object.values(wordFields(chunk, snapshot.files[chunk.file]?.path ?? "")).join("\n");
  };
  index.addAll(snapshot.chunks.map((_, id) => ({ id, text: textOf(id) })));
  return (query) =>
    index
      .search(wordsAsked(query).join(" "), { bm25: { k: 1.2, b: 0.75, d: 0 } })
      .slice(0, HITS)
      .map(({ id }) => id as number);
}

function fused(...rankings: readonly (readonly number[])[]): number[] {
  const scores = new Map<number, number>();
  for (const ranking of rankings) {
    for (const [place, chunk] of ranking.entries()) {
      scores.set(chunk, (scores.get(chunk) ?? 0) + 1 / (FUSION_K + place + 1));
    }
  }
  return [...scores].sort((a, b) => b[1] - a[1] || a[0] - b[0]).map(([chunk]) => chunk);
}

/** Mean reciprocal rank, and the share of questions whose function is among the first ten. */
export function figures(ranks: readonly number[]): { mrr: number; hit_at_10: number } {
  const mean = (numbers: number[]) => numbers.reduce((sum, number) => sum + number, 0) / numbers.length;
  return {
    mrr: mean(ranks.map((place) => 1 / place)),
    hit_at_10: mean(ranks.map((place) => Number(place <= 10))),
  };
}
