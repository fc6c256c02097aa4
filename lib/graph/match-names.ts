import type { Snapshot } from "#lib/graph/snapshot.ts";

const IDENTIFIER = /#?[\p{ID_Start}$_][\p{ID_Continue}$]*(?:\.#?[\p{ID_Start}$_][\p{ID_Continue}$]*)*/gu;

/** Looks written by a programmer: `parseRange`, `parse_range`, `Range.parse`, `parse()`. */
function isCodeLike(word: string, query: string): boolean {
  return /[._$#]|\p{Ll}\p{Lu}/u.test(word) || query.includes(`${word}(`) || query.includes(`\`${word}\``);
}

/**
 * Chunks whose symbol the query names, by its qualified or simple name; case counts only where it
 * decides between two. Returns the name as the symbol has it, exported symbols first.
 */
export function matchNames(snapshot: Snapshot, query: string): Map<number, string> {
  const trimmed = query.trim().replace(/\(\)$/, "");
  const asked = new Set(
    [...query.matchAll(IDENTIFIER)]
      .map(([word]) => word)
      .filter((word) => word === trimmed || isCodeLike(word, query))
      .map((word) => word.toLowerCase()),
  );
  const found: { place: number; name: string; rank: number }[] = [];
  if (asked.size === 0) return new Map();
  for (const [place, { symbol, exported }] of snapshot.chunks.entries()) {
    if (symbol === null) continue;
    const simple = symbol.slice(symbol.lastIndexOf(".") + 1);
    const name = [symbol, simple].find((candidate) => asked.has(candidate.toLowerCase()));
    if (name === undefined) continue;
    const rank = (query.includes(name) ? 0 : 2) + (exported ? 0 : 1);
    found.push({ place, name, rank });
  }
  return new Map(found.sort((a, b) => a.rank - b.rank).map(({ place, name }) => [place, name]));
}
