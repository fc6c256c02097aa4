interface FoundJson {
  start: number;
  /** Just after the last character. */
  end: number;
  value: unknown;
}

export interface JsonInText {
  documents: FoundJson[];
  /** Places where an object begins that is cut off or broken, from there on. */
  broken: { start: number; end: number }[];
}

interface Frame {
  start: number;
  close: "}" | "]";
  at_line_start: boolean;
}

const DEPTH_MAX = 500;
const BROKEN_MAX = 1000;
const SCALAR = /-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?|true|false|null/y;
/** What reporters begin with, so that it is found after output that did not end its line. */
const GLUED = /\{(?="num[A-Z]|\r?\n {1,8}"(?:stats|num[A-Z])[A-Za-z]*":)/y;

/**
 * The JSON objects and arrays among other output, each beginning at the start of a line. Reporters print
 * theirs after the package manager's header and among what the tests print. Every character is looked at
 * a fixed number of times: where a text stops being JSON, everything open at that place ends with it.
 */
export function jsonInText(text: string): JsonInText {
  const found: JsonInText = { documents: [], broken: [] };
  let position = 0;
  while (position < text.length) {
    const start = nextStart(text, position);
    if (start < 0) break;
    const scan = scanValue(text, start);
    for (const span of scan.complete) {
      const value = parseOrUndefined(text.slice(span.start, span.end));
      if (value !== undefined) found.documents.push({ ...span, value });
    }
    if (scan.broken && found.broken.length < BROKEN_MAX) found.broken.push({ start, end: scan.end });
    position = Math.max(scan.end, start + 1);
  }
  return found;
}

function nextStart(text: string, from: number): number {
  for (let index = from; index < text.length; index++) {
    const character = text[index];
    if (character !== "{" && character !== "[") continue;
    if (atLineStart(text, index)) return index;
    GLUED.lastIndex = index;
    if (GLUED.test(text)) return index;
  }
  return -1;
}

function atLineStart(text: string, index: number): boolean {
  return index === 0 || text[index - 1] === "\n" || text[index - 1] === "\r" || text[index - 1] === "\ufeff";
}

/** Reads one value from `start`, where an opening bracket stands, as far as it is JSON (RFC 8259). */
function scanValue(text: string, start: number) {
  const stack: Frame[] = [];
  const complete: { start: number; end: number }[] = [];
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
function dropWithin<Span extends { start: number }>(spans: Span[], start: number): Span[] {
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

function parseOrUndefined(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
