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
