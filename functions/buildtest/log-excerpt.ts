const LINES_BEFORE = 5;
const LINES_MAX = 40;
const CHARACTERS_MAX = 4000;
const ERROR = /\b(?:errors?|fail(?:ed|ure|ures)?|fatal|exception|panic(?:ked)?|cannot|not found)\b/i;
const NO_ERROR = /\b(?:0|no|without) (?:errors?|fail(?:ed|ures?))\b/i;

/** Up to 40 lines of a log, starting 5 lines before the first line that looks like an error, or else its last lines. */
export function logExcerpt(text: string): string | null {
  const lines = text.trimEnd().split(/\r?\n/);
  const found = lines.findIndex((line) => ERROR.test(line) && !NO_ERROR.test(line));
  const start = found < 0 ? Math.max(0, lines.length - LINES_MAX) : Math.max(0, found - LINES_BEFORE);
  return (
    lines
      .slice(start, start + LINES_MAX)
      .join("\n")
      .slice(0, CHARACTERS_MAX) || null
  );
}
