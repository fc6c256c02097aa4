import type { SnapshotChunk } from "#lib/code/graph/snapshot.ts";

const WORD = /[\p{L}\p{N}_$]+/gu;
const PART = /\p{Lu}+(?!\p{Ll})|\p{Lu}?\p{Ll}+|\p{Lo}+|\p{N}+/gu;
const WORD_CHARACTERS_MAX = 64;

/**
 * Splits code or prose into lower-case words: `parseRangeHTTP2_x` gives itself and `parse`, `range`,
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

/** Drops common English endings, so that `ranges` matches `range` and `parsing` matches `parse`. */
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

/** Stop words: words of a question that do not help to find code. */
const STOP_WORDS = new Set(
  "a an and are as at be by can do does for from how i in into is it its me of on or that the this to what when where which who why will with".split(
    " ",
  ),
);

/**
 * Words of most doc comments and questions, whatever these are about: those in at least one in a hundred of 7,964 first
 * sentences of doc comments from 259 npm packages that name no technology, and words of grammar like them.
 */
const PROSE_WORDS = new Set(
  (
    "accept all allow allowed any applied apply argument array based been but call check class collection contain create " +
    "current default determine each element exist first function generate generated get given has have include indicate " +
    "indicated input instance item its key less list made make match method more new no not number object one only option " +
    "or otherwise over own parameter pass passed per property provide provided represent result resulting return same set " +
    "so specified specify string supplied support take taken than their them then these they those true false two type use " +
    "used using value via without you"
  )
    .split(" ")
    .map(stem),
);
const PROSE_WEIGHT = 0.2;

/** What a word of a query weighs beside the others: a prose word tells little of what is looked for. */
export function wordWeight(word: string): number {
  return PROSE_WORDS.has(stem(word)) ? PROSE_WEIGHT : 1;
}

/** True for a name that is private by its form, `_clone` or `#seal`, and for what is declared inside something else. */
export function isInnerName(symbol: string): boolean {
  return /^[_#]|\./.test(symbol);
}

/** Weight of a word in each field of a chunk. */
export const BOOST = { name: 4, doc: 2, signature: 1.5, path: 0.3, body: 1 };

/** The distinct words of a query without stop words; with them when there is nothing else. */
export function wordsAsked(query: string): string[] {
  const all = codeWords(query).slice(0, QUERY_WORDS_MAX);
  const useful = all.filter((word) => !STOP_WORDS.has(word));
  return [...new Set(useful.length > 0 ? useful : all)];
}

/** A chunk's text by search field. Each field has its weight in `BOOST`. */
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

/** True for a word that looks like an identifier: `parseRange`, `parse_range`, `Range.parse`, `parse()`. */
function isCodeLike(word: string, query: string): boolean {
  return /[._$#]|\p{Ll}\p{Lu}/u.test(word) || query.includes(`${word}(`) || query.includes(`\`${word}\``);
}

/**
 * The symbol names in a query, in lower case: words that look like code, or the whole query when it is
 * one identifier.
 */
export function namesAsked(query: string): Set<string> {
  const trimmed = query.trim().replace(/\(\)$/, "");
  return new Set(
    [...query.matchAll(IDENTIFIER)]
      .map(([word]) => word)
      .filter((word) => word === trimmed || isCodeLike(word, query))
      .map((word) => word.toLowerCase()),
  );
}

/** The last part of a qualified name: `parse` for `Range.parse`. */
export function simpleName(symbol: string): string {
  return symbol.slice(symbol.lastIndexOf(".") + 1);
}

/** True when names make up at least half of what a query asks for, as in "where is `parseRange` used". */
export function asksForNames(query: string): boolean {
  const names = namesAsked(query);
  const words = [...query.matchAll(IDENTIFIER)].map(([word]) => word.toLowerCase());
  const telling = new Set(words.filter((word) => !STOP_WORDS.has(word) && wordWeight(word) === 1));
  return names.size > 0 && 2 * names.size >= telling.size;
}

/**
 * Finds the chunks whose symbol the query names, by qualified or simple name. Case only decides the order.
 * Gives each chunk's name as it is declared, exact case first, then exported symbols first.
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
