const BLANKS = " \t";
const LINE_END_BLANKS = " \t\r\n";

/** The blanks and tabs that a line begins with. */
export function indentationOf(line: string): string {
  let end = 0;
  while (end < line.length && BLANKS.includes(line.charAt(end))) end++;
  return line.slice(0, end);
}

/** A line without its line end and the blanks before that. A pattern would take quadratic time on many blanks. */
export function withoutTrailingBlanks(line: string): string {
  let end = line.length;
  while (end > 0 && LINE_END_BLANKS.includes(line.charAt(end - 1))) end--;
  return line.slice(0, end);
}

/** A line without its line end alone. */
export function withoutLineEnd(line: string): string {
  if (line.endsWith("\r\n")) return line.slice(0, -2);
  return line.endsWith("\n") ? line.slice(0, -1) : line;
}

/** The line end of a line: empty at the end of a text without one. */
export function lineEndOf(line: string): string {
  return line.slice(withoutLineEnd(line).length);
}
