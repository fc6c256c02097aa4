interface Span {
  start: number;
  /** Just after the last character. */
  end: number;
}

interface JsonScan {
  /** The value, or what is whole of one that is not: what begins at the start of a line in it. */
  complete: Span[];
  /** Just after the value, or where the text stops being JSON. */
  end: number;
  /** Cut off, or no JSON at all. */
  broken: boolean;
}

interface Frame {
  start: number;
  close: "}" | "]";
  at_line_start: boolean;
}

const DEPTH_MAX = 500;
const SCALAR = /-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?|true|false|null/y;
/** True at the start of the text, of a line, or behind a byte order mark. */
export function atLineStart(text: string, index: number): boolean {
  return index === 0 || text[index - 1] === "\n" || text[index - 1] === "\r" || text[index - 1] === "\ufeff";
}

/**
 * Reads one value from `start`, where an opening bracket stands, as far as it is JSON (RFC 8259). Where the text stops
 * being JSON, everything open at that place ends with it.
 */
export function scanJson(text: string, start: number): JsonScan {
  const stack: Frame[] = [];
  const complete: Span[] = [];
  let expects: "value" | "key" | "separator" = "value";
  let index = start;
  let may_close = false;
  while (index < text.length) {
    const character = text[index] ?? "";
    if (isBlank(character)) {
      index++;
      continue;
    }
    const frame = stack.at(-1);
    if (frame && character === frame.close && (expects === "separator" || may_close)) {
      stack.pop();
      index++;
      const closed = { start: frame.start, end: index };
      if (stack.length === 0) return { complete: [closed], end: index, broken: false };
      if (frame.at_line_start) {
        dropWithin(complete, frame.start).push(closed);
      }
      expects = "separator";
      may_close = false;
      continue;
    }
    may_close = false;
    if (expects === "separator") {
      if (character !== ",") break;
      expects = frame?.close === "}" ? "key" : "value";
      index++;
    } else if (expects === "key") {
      const end = stringEnd(text, index);
      const colon = end < 0 ? -1 : skipBlanks(text, end);
      if (end < 0 || text[colon] !== ":") {
        index = end < 0 ? lineEnd(text, index) : colon;
        break;
      }
      index = colon + 1;
      expects = "value";
    } else if (character === "{" || character === "[") {
      if (stack.length >= DEPTH_MAX) break;
      stack.push({
        start: index,
        close: character === "{" ? "}" : "]",
        at_line_start: atLineStart(text, index),
      });
      expects = character === "{" ? "key" : "value";
      may_close = true;
      index++;
    } else {
      const end = character === '"' ? stringEnd(text, index) : scalarEnd(text, index);
      if (end < 0) {
        if (character === '"') index = lineEnd(text, index);
        break;
      }
      index = end;
      expects = "separator";
    }
  }
  return { complete, end: index, broken: true };
}

/** The list without its last entries that begin after `start`; each entry is dropped once. */
function dropWithin(spans: Span[], start: number): Span[] {
  while (spans.length > 0 && (spans.at(-1)?.start ?? 0) > start) spans.pop();
  return spans;
}

function isBlank(character: string): boolean {
  return character === " " || character === "\n" || character === "\r" || character === "\t";
}

function skipBlanks(text: string, from: number): number {
  let index = from;
  while (index < text.length && isBlank(text[index] ?? "")) index++;
  return index;
}

function lineEnd(text: string, from: number): number {
  const found = text.indexOf("\n", from);
  return found < 0 ? text.length : found;
}

/** Just after the closing quote; -1 when the line or the text ends before it. */
function stringEnd(text: string, start: number): number {
  if (text[start] !== '"') return -1;
  for (let index = start + 1; index < text.length; index++) {
    const character = text[index];
    if (character === '"') return index + 1;
    if (character === "\n" || character === "\r") return -1;
    if (character === "\\") index++;
  }
  return -1;
}

function scalarEnd(text: string, start: number): number {
  SCALAR.lastIndex = start;
  return SCALAR.test(text) ? SCALAR.lastIndex : -1;
}
