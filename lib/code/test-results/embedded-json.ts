const OCCURRENCES_MAX = 5;

/**
 * The JSON objects in noisy output that hold `key` and begin at the start of a line, the last first.
 * Reporters print theirs after the package manager's header and among what the tests print.
 */
export function embeddedJson(text: string, key: string): unknown[] {
  const found: unknown[] = [];
  let before = text.length;
  for (let occurrence = 0; occurrence < OCCURRENCES_MAX; occurrence++) {
    const position = before > 0 ? text.lastIndexOf(`"${key}":`, before - 1) : -1;
    if (position < 0) break;
    const start = lineStartingWithBrace(text, position);
    if (start < 0) break;
    const end = closingBrace(text, start);
    const value = end < 0 ? undefined : parseOrUndefined(text.slice(start, end + 1));
    if (value !== undefined) found.push(value);
    before = start;
  }
  return found;
}

function lineStartingWithBrace(text: string, before: number): number {
  const found = text.lastIndexOf("\n{", before);
  if (found >= 0) return found + 1;
  return text.startsWith("{") ? 0 : -1;
}

/** The brace that closes the one at `start`, strings skipped; -1 when there is none. */
function closingBrace(text: string, start: number): number {
  let depth = 0;
  let in_string = false;
  for (let index = start; index < text.length; index++) {
    const character = text[index];
    if (in_string) {
      if (character === "\\") index++;
      else if (character === '"') in_string = false;
    } else if (character === '"') in_string = true;
    else if (character === "{") depth++;
    else if (character === "}" && --depth === 0) return index;
  }
  return -1;
}

function parseOrUndefined(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
