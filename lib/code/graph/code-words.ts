import type { SnapshotChunk } from "#lib/code/graph/snapshot.ts";

const WORD = /[\p{L}\p{N}_$]+/gu;
const PART = /\p{Lu}+(?!\p{Ll})|\p{Lu}?\p{Ll}+|\p{Lo}+|\p{N}+/gu;
const WORD_CHARACTERS_MAX = 64;

/**
 * Words of code or prose, lower-case: `parseRangeHTTP2_x` gives itself and `parse`, `range`,
 * `http`, `2`, `x`.
 */
export function codeWords(text: string): string[] {
  const words: string[] = [];
  for (const [word] of text.matchAll(WORD)) {
    if (word.length > WORD_CHARACTERS_MAX) continue;
    const parts = word.match(PART) ?? [];
    if (parts.length !== 1) words.push(word.toLowerCase());
    for (const part of parts) words.push(part.toLowerCase());
  }
  return words;
}

const VOWEL = /[aeiouy]/;

/** `range` and `ranges`, `parse` and `parsing` meet: the commonest English endings are dropped. */
export function stem(word: string): string {
  const single = singular(word);
  if (single.length > 5 && single.endsWith("ing") && VOWEL.test(single.slice(0, -3))) {
    return undoubled(single.slice(0, -3));
  }
  if (single.length > 4 && single.endsWith("ed") && VOWEL.test(single.slice(0, -2))) {
    return undoubled(single.slice(0, -2));
  }
  return single.length > 4 && single.endsWith("e") ? single.slice(0, -1) : single;
}

function singular(word: string): string {
  if (word.length > 4 && word.endsWith("ies")) return `${word.slice(0, -3)}y`;
  if (word.length > 4 && /(?:ss|x|zz|ch|sh)es$/.test(word)) return word.slice(0, -2);
  return word.length > 3 && /[^su]s$/.test(word) ? word.slice(0, -1) : word;
}

/** `summ` of `summing` becomes `sum`; `call`, `pass` and `buzz` stay. */
function undoubled(word: string): string {
  return /([^aeioulsz])\1$/.test(word) ? word.slice(0, -1) : word;
}

const QUERY_WORDS_MAX = 64;

/** Words of a question that say nothing about code. */
const SILENT = new Set(
  "a an and are as at be by can do does for from how i in into is it its me of on or that the this to what when where which who why will with".split(
    " ",
  ),
);

/** How much a word counts by where it stands. */
export const BOOST = { name: 4, doc: 2, signature: 1.5, path: 0.3, body: 1 };
/** The different words of a query that say something about code; all of them when none does. */
export function wordsAsked(query: string): string[] {
  const all = codeWords(query).slice(0, QUERY_WORDS_MAX);
  const telling = all.filter((word) => !SILENT.has(word));
  return [...new Set(telling.length > 0 ? telling : all)];
}

/** A chunk's words by the fields that are weighed apart. */
export function wordFields(chunk: SnapshotChunk, path: string): Record<keyof typeof BOOST, string> {
  return {
    name: chunk.symbol ?? chunk.signature,
    doc: chunk.doc,
    signature: chunk.symbol === null ? "" : chunk.signature,
    path,
    body: chunk.excerpt,
  };
}

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
