import type { SnapshotChunk } from "#lib/code/graph/snapshot.ts";

const IDENTIFIER = /#?[\p{ID_Start}$_][\p{ID_Continue}$]*(?:\.#?[\p{ID_Start}$_][\p{ID_Continue}$]*)*/gu;

/** Looks written by a programmer: `parseRange`, `parse_range`, `Range.parse`, `parse()`. */
function isCodeLike(word: string, query: string): boolean {
  return /[._$#]|\p{Ll}\p{Lu}/u.test(word) || query.includes(`${word}(`) || query.includes(`\`${word}\``);
}

/** The names a query asks for, in lower case: what looks written by a programmer, or all there is. */
export function namesAsked(query: string): Set<string> {
  const trimmed = query.trim().replace(/\(\)$/, "");
  return new Set(
    [...query.matchAll(IDENTIFIER)]
      .map(([word]) => word)
      .filter((word) => word === trimmed || isCodeLike(word, query))
      .map((word) => word.toLowerCase()),
  );
}

/** `parse` of `Range.parse`. */
export function simpleName(symbol: string): string {
  return symbol.slice(symbol.lastIndexOf(".") + 1);
}

/**
 * Chunks whose symbol the query names, by its qualified or simple name; case counts only where it
 * decides between two. Returns the name as the symbol has it, exported symbols first.
 */
export function matchNames(
  chunks: Iterable<Pick<SnapshotChunk, "symbol" | "exported"> & { place?: number }>,
  query: string,
): Map<number, string> {
  const asked = namesAsked(query);
  const found: { place: number; name: string; rank: number }[] = [];
  if (asked.size === 0) return new Map();
  let counted = 0;
  for (const { symbol, exported, place = counted } of chunks) {
    counted += 1;
    if (symbol === null) continue;
    const name = [symbol, simpleName(symbol)].find((candidate) => asked.has(candidate.toLowerCase()));
    if (name === undefined) continue;
    const rank = (query.includes(name) ? 0 : 2) + (exported ? 0 : 1);
    found.push({ place, name, rank });
  }
  return new Map(found.sort((a, b) => a.rank - b.rank).map(({ place, name }) => [place, name]));
}
