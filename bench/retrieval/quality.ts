import { rank, type SearchIndex } from "#lib/code/graph/search.ts";
import type { GraphConfig } from "#schemas/config/graph.ts";
import type { AskedQuestion } from "./question-corpus.ts";

export interface Quality {
  /** By how it was searched: mean reciprocal rank, and the share found among the first ten. */
  table: Record<string, { MRR: string; "hit@10": string }>;
  milliseconds_a_query: number;
}

/** Asks every question and looks at which rank its function came. */
export async function quality(
  index: SearchIndex,
  questions: readonly AskedQuestion[],
  limits: GraphConfig,
): Promise<Quality> {
  const ranks: Record<"words" | "meaning" | "fused", number[]> = { words: [], meaning: [], fused: [] };
  let searching_ms = 0;
  for (const { text, vector, chunk } of questions) {
    const from = performance.now();
    const all = await rank(index, { text, vector, limit: 100 }, limits);
    searching_ms += performance.now() - from;
    const found = all.find((hit) => hit.chunk === chunk);
    ranks.words.push(found?.words?.rank ?? Number.POSITIVE_INFINITY);
    ranks.meaning.push(found?.meaning?.rank ?? Number.POSITIVE_INFINITY);
    ranks.fused.push(found ? all.indexOf(found) + 1 : Number.POSITIVE_INFINITY);
  }
  const mean = (numbers: number[]) => numbers.reduce((sum, number) => sum + number, 0) / numbers.length;
  const rows = Object.entries(ranks).map(([name, places]) => {
    const found = mean(places.map((place) => Number(place <= 10)));
    return [name, { MRR: mean(places.map((place) => 1 / place)).toFixed(3), "hit@10": found.toFixed(3) }];
  });
  return { table: Object.fromEntries(rows), milliseconds_a_query: searching_ms / questions.length };
}
