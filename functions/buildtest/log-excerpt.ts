const LINES_BEFORE = 4;
/** As many as the CLI shows. */
const LINES_MAX = 16;
const CHARACTERS_MAX = 4000;
const LINE_CHARACTERS_MAX = 2000;
/** How test runners, compilers and languages mark one failure. */
const FAILURE =
  /^\s*(?:not ok\b|--- FAIL\b|FAIL(?:ED)?\b|[✖✗✕×✘●]\s|E {2,}\S|panic:|Traceback \(most|Caused by:|error(?:\[\w+\])?: )|^\s*\d{1,5}\) \S|\b[A-Z]\w{0,60}(?:Error|Exception)\b|\bpanicked at\b|\bassert(?:ion)? .{0,40}failed\b|\.{3} FAILED$/;
const ERROR = /\b(?:errors?|fail(?:ed|ing|ure|ures)?|fatal|exception|panic(?:ked)?|cannot|not found)\b/i;
const NO_ERROR =
  /\b(?:0|no|without) (?:errors?|fail(?:ed|ing|ures?))\b|^\s*(?:ok\b|[✓✔√]|PASS\b|--- PASS)|\.{3} ok$|^> /i;

/**
 * The lines of a log around the first failure: the first that a test runner or a compiler marks as one, or else
 * the first that has a word for an error, or else the log's last lines.
 */
export function logExcerpt(text: string): string | null {
  const lines = text.trimEnd().split(/\r?\n/);
  const first = (mark: RegExp) =>
    lines.findIndex((line) => {
      const looked_at = line.slice(0, LINE_CHARACTERS_MAX);
      return mark.test(looked_at) && !NO_ERROR.test(looked_at);
    });
  const marked = first(FAILURE);
  return around(lines, marked < 0 ? first(ERROR) : marked);
}

/** The lines around the one that first names `name`; null when none does. */
export function linesAround(text: string, name: string): string | null {
  if (name === "") return null;
  const lines = text.trimEnd().split(/\r?\n/);
  const found = lines.findIndex((line) => line.includes(name));
  return found < 0 ? null : around(lines, found);
}

function around(lines: readonly string[], found: number): string | null {
  const start = Math.max(0, found < 0 ? lines.length - LINES_MAX : found - LINES_BEFORE);
  return (
    lines
      .slice(start, start + LINES_MAX)
      .join("\n")
      .slice(0, CHARACTERS_MAX) || null
  );
}
