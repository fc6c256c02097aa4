import { HttpError } from "#lib/platform/errors/http-error.ts";

/** Far beyond what any route asks for, and no trouble for anything that walks over it. */
const DEPTH_MAX = 32;
const VALUES_MAX = 200_000;
const KEY_CHARACTERS_MAX = 1024;

const [QUOTE, COLON, COMMA, BACKSLASH] = [0x22, 0x3a, 0x2c, 0x5c];
const [BRACE, BRACE_END, BRACKET, BRACKET_END] = [0x7b, 0x7d, 0x5b, 0x5d];

/**
 * Looks over a JSON text before it is parsed, in one pass and without recursion, for what `JSON.parse`
 * takes without a word and others read differently or not at all (RFC 7493): throws HttpError 400
 * `BODY_TOO_COMPLEX` beyond the limits of depth, values and key length, `BODY_KEY_REFUSED` for a key that
 * stands twice in one object or is `__proto__`, `BODY_NOT_UNICODE` for half a character. Whether it is
 * JSON at all is for `JSON.parse` to say.
 */
export function checkJson(text: string): void {
  const open: (Set<string> | undefined)[] = [];
  let values = 1;
  for (let at = 0; at < text.length; at += 1) {
    switch (text.charCodeAt(at)) {
      case QUOTE: {
        const end = endOfString(text, at);
        if (end === undefined) return;
        const said = textOf(text, at, end);
        if (isKey(text, end)) noteKey(said, open.at(-1));
        at = end;
        break;
      }
      case BRACE:
      case BRACKET:
        open.push(text.charCodeAt(at) === BRACE ? new Set() : undefined);
        if (open.length > DEPTH_MAX) throw tooComplex(`${DEPTH_MAX} levels`);
        break;
      case BRACE_END:
      case BRACKET_END:
        open.pop();
        break;
      case COMMA:
        values += 1;
        if (values > VALUES_MAX) throw tooComplex(`${VALUES_MAX} values`);
        break;
    }
  }
}

/** Where the string that begins at `start` has its closing quote; undefined when it has none. */
function endOfString(text: string, start: number): number | undefined {
  for (let end = text.indexOf('"', start + 1); end !== -1; end = text.indexOf('"', end + 1)) {
    let escapes = 0;
    while (text.charCodeAt(end - 1 - escapes) === BACKSLASH) escapes += 1;
    if (escapes % 2 === 0) return end;
  }
  return undefined;
}

/** What the string from quote to quote says; as it is written where its escapes are not valid. */
function textOf(text: string, start: number, end: number): string {
  const written = text.slice(start + 1, end);
  let said = written;
  if (written.includes("\\")) {
    try {
      said = JSON.parse(text.slice(start, end + 1)) as string;
    } catch {
      return written;
    }
  }
  if (said.isWellFormed()) return said;
  throw new HttpError("BODY_NOT_UNICODE", "a text in the body has half a character (a lone surrogate)");
}

function isKey(text: string, end: number): boolean {
  let next = end + 1;
  while (/\s/.test(text.charAt(next))) next += 1;
  return text.charCodeAt(next) === COLON;
}

function noteKey(key: string, keys: Set<string> | undefined): void {
  if (key.length > KEY_CHARACTERS_MAX) throw tooComplex(`${KEY_CHARACTERS_MAX} characters in a key`);
  if (key === "__proto__" || keys?.has(key)) {
    const why = key === "__proto__" ? "is refused" : "stands twice in one object";
    throw new HttpError("BODY_KEY_REFUSED", `the key ${JSON.stringify(key.slice(0, 100))} ${why}`);
  }
  keys?.add(key);
}

function tooComplex(limit: string): HttpError {
  return new HttpError("BODY_TOO_COMPLEX", `the body has more than ${limit}`);
}
