/** Part of a UTF-8 text. */
export interface TextSlice {
  text: string;
  /** Where the slice begins, in bytes: `offset`, or up to three bytes later where that is inside of a character. */
  offset: number;
  /** Where the next slice begins, in bytes; null at the end. */
  next_offset: number | null;
}

const isContinuation = (byte: number | undefined): boolean => byte !== undefined && (byte & 0xc0) === 0x80;
/** UTF-8 has at most four bytes a character: https://www.rfc-editor.org/rfc/rfc3629#section-3 */
const CHARACTER_BYTES_MAX = 4;

/** At most `bytes_max` bytes (4 or more) of a text from `offset` on, in whole characters. Slices in a row make the whole text. */
export function textSlice(bytes: Uint8Array, offset: number, bytes_max: number): TextSlice {
  const start = characterFrom(bytes, Math.min(offset, bytes.length));
  let end = Math.min(start + bytes_max, bytes.length);
  if (end < bytes.length) {
    let whole = end;
    while (whole > start && end - whole < CHARACTER_BYTES_MAX && isContinuation(bytes[whole])) whole -= 1;
    // Bytes that are no UTF-8 have no beginning of a character nearby: cut them anywhere.
    if (whole > start && !isContinuation(bytes[whole])) end = whole;
  }
  const text = new TextDecoder("utf-8", { ignoreBOM: true }).decode(bytes.subarray(start, end));
  return { text, offset: start, next_offset: end < bytes.length ? end : null };
}

function characterFrom(bytes: Uint8Array, offset: number): number {
  let start = offset;
  while (start < bytes.length && start - offset < CHARACTER_BYTES_MAX - 1 && isContinuation(bytes[start]))
    start += 1;
  return start;
}
