const CHARACTERS_MAX = 200;

/** Untrusted text on one line of a log: no control, format or bidirectional characters, and not too long. */
export function printable(text: string): string {
  const plain = text.toWellFormed().replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\ufffd]/gu, "?");
  return plain.length > CHARACTERS_MAX ? `${plain.slice(0, CHARACTERS_MAX)}…` : plain;
}
