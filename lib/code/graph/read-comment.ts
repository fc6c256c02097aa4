const LINES_UP_MAX = 80;
const COMMENT_LINE_CHARACTERS_MAX = 1000;

/** The comment that ends on the line just above `start_line`, without its marks. */
export function readComment(lines: readonly string[], start_line: number): { doc: string; doc_line: number } {
  const above = (lines[start_line - 2] ?? "").trim();
  const block = above.endsWith("*/");
  if (!block && !above.startsWith("//")) return { doc: "", doc_line: start_line };
  let first = start_line - 1;
  for (let up = 0; up < LINES_UP_MAX && first >= 1; up++) {
    const line = (lines[first - 1] ?? "").trim();
    if (block && line.startsWith("/*")) break;
    if (!block && !(lines[first - 2] ?? "").trim().startsWith("//")) break;
    first--;
  }
  if (first < 1 || (block && !(lines[first - 1] ?? "").trim().startsWith("/*"))) {
    return { doc: "", doc_line: start_line };
  }
  const doc = lines
    .slice(first - 1, start_line - 1)
    .map(withoutMarks)
    .filter((line) => line !== "");
  return { doc: doc.join("\n"), doc_line: first };
}

/** What a line of a comment says: without slashes and stars at its ends. */
function withoutMarks(line: string): string {
  let text = line.trim();
  if (text.endsWith("*/")) {
    let end = text.length - 1;
    while (end > 0 && text.charAt(end - 1) === "*") end -= 1;
    text = text.slice(0, end);
  }
  return text
    .replace(/^\/(?:\*+|\/+)/, "")
    .replace(/^\s*\*/, "")
    .trim()
    .slice(0, COMMENT_LINE_CHARACTERS_MAX);
}

const SIGNATURE_LINES_MAX = 8;
const SIGNATURE_CHARACTERS_MAX = 300;

/** A declaration from its first line until its brackets close or its body opens. */
export function readSignature(lines: readonly string[], start_line: number, end_line: number): string {
  let text = "";
  const last = Math.min(end_line, start_line + SIGNATURE_LINES_MAX - 1);
  for (let line = start_line; line <= last; line++) {
    const added = (lines[line - 1] ?? "").trim().slice(0, SIGNATURE_CHARACTERS_MAX);
    text = `${text} ${added}`.trim();
    const open = (text.match(/[([]/g) ?? []).length;
    const closed = (text.match(/[)\]]/g) ?? []).length;
    if (open <= closed) break;
  }
  const head = text.endsWith("{") ? text.slice(0, -1).trimEnd() : text;
  return head.slice(0, SIGNATURE_CHARACTERS_MAX);
}
