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

/** `range` and `ranges`, `parse` and `parsing` meet: the commonest English endings are dropped. */
export function stem(word: string): string {
  if (word.length > 5 && word.endsWith("ing")) return word.slice(0, -3);
  if (word.length > 4 && word.endsWith("ies")) return `${word.slice(0, -3)}y`;
  if (word.length > 4 && word.endsWith("ed")) return word.slice(0, -2);
  if (word.length > 4 && /(?:s|x|z|ch|sh)es$/.test(word)) return word.slice(0, -2);
  if (word.length > 3 && word.endsWith("s") && !word.endsWith("ss")) return word.slice(0, -1);
  return word.length > 4 && word.endsWith("e") ? word.slice(0, -1) : word;
}
