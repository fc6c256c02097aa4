import type { Found } from "#lib/code/graph/found.ts";
import type { ChunkFacts } from "#lib/code/graph/search-index.ts";

function ordinal(rank: number): string {
  const teen = rank % 100 >= 11 && rank % 100 <= 13;
  const ending = teen ? "th" : (["th", "st", "nd", "rd"][rank % 10] ?? "th");
  return `${rank}${ending}`;
}

/** Sentences: which search found the chunk and at what rank, and what the graph knows of it. */
export function explain(found: Found, facts: ChunkFacts, best_symbol: string | undefined): string[] {
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
