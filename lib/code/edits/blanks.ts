const TAB = 0x09;
const LINE_FEED = 0x0a;
const CARRIAGE_RETURN = 0x0d;
const BLANK = 0x20;

/** The blanks and tabs that a line begins with. */
export function indentationOf(line: string): string {
  let end = 0;
  for (let code = line.charCodeAt(end); code === BLANK || code === TAB; code = line.charCodeAt(end)) end++;
  return line.slice(0, end);
}

/** A line without its line end and the blanks before that. A pattern would take quadratic time on many blanks. */
export function withoutTrailingBlanks(line: string): string {
  let end = line.length;
  while (end > 0 && endsLine(line.charCodeAt(end - 1))) end--;
  return end === line.length ? line : line.slice(0, end);
}

function endsLine(code: number): boolean {
  return code === BLANK || code === TAB || code === LINE_FEED || code === CARRIAGE_RETURN;
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
