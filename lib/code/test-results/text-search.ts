interface Found {
  /** Infinity when there is none. */
  start: number;
  /** Just after the last character. */
  end: number;
}

const NOTHING: Found = { start: Number.POSITIVE_INFINITY, end: Number.POSITIVE_INFINITY };

/**
 * Finds the first match at or after a position. The positions asked for must not go down: what was found is kept, so
 * that a text is searched once however often it is asked. `pattern` has the flag `g`, and is not shared meanwhile.
 */
export function forwardSearch(text: string, pattern: RegExp): (from: number) => Found {
  let found: Found | null = null;
  return (from) => {
    if (found === null || found.start < from) {
      pattern.lastIndex = from;
      const match = pattern.exec(text);
      found = match ? { start: match.index, end: match.index + match[0].length } : NOTHING;
    }
    return found;
  };
}
