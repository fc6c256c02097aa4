/**
 * Characters that act on a terminal or on the order of text instead of being shown: C0 and C1 controls but
 * tab and line feed, format characters (bidirectional overrides, zero-width and tag characters), invisible
 * fillers, line and paragraph separators, and halves of characters. Emoji joined by U+200D stay whole, and
 * variation selectors choose between two pictures of one character.
 */
const ACTIVE =
  /(?<!\p{Extended_Pictographic}\ufe0f?\p{Emoji_Modifier}?)\u200d|\u200d(?!\p{Extended_Pictographic})|(?!\t|\n|\u200d|\ufe0e|\ufe0f)[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}]/gu;

/**
 * Text of anybody else, safe to write to a terminal: what would act on it is spelled out, as `\x1b` or
 * `\u{202e}`. CRLF counts as one line feed; any other carriage return, which would write over the line, is shown.
 */
export function visible(text: string): string {
  return text.replaceAll("\r\n", "\n").replace(ACTIVE, spelled);
}

/** A JSON document that acts on no terminal, and that any parser reads as the same value. */
export function jsonText(document: unknown): string {
  return `${escaped(JSON.stringify(document, null, 2))}\n`;
}

/** JSON text with what would act on a terminal escaped. */
export function escaped(json: string): string {
  return json.replace(ACTIVE, (character) => character.split("").map(escapedUnit).join(""));
}

function spelled(character: string): string {
  const code = character.codePointAt(0) ?? 0;
  const digits = code.toString(16);
  return code < 0x100 ? `\\x${digits.padStart(2, "0")}` : `\\u{${digits}}`;
}

/** Of one UTF-16 code unit. https://www.rfc-editor.org/rfc/rfc8259#section-7 */
function escapedUnit(unit: string): string {
  return `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`;
}
