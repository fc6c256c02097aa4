import type { DiffCursor } from "#lib/code/diff/diff-cursor.ts";
import { type DiffLine, type FileDiff, type Hunk, malformed } from "#lib/code/diff/file-diff.ts";

const HEADER = /^@@ -(\d{1,9})(?:,(\d{1,9}))? \+(\d{1,9})(?:,(\d{1,9}))? @@/;

/** Reads all hunks of one file; the cursor is left at the first line after them. */
export function parseHunks(cursor: DiffCursor): Hunk[] {
  const hunks: Hunk[] = [];
  const ended = { before: false, after: false };
  let before_end = 0;
  while (cursor.lines[cursor.index]?.startsWith("@@ -")) {
    const hunk = parseHunk(cursor, ended);
    const start = hunk.before_count === 0 ? hunk.before_start : hunk.before_start - 1;
    if (start < before_end) throw malformed(hunk.line, "the hunk begins before the one above it ends");
    before_end = start + hunk.before_count;
    hunks.push(hunk);
  }
  const next = cursor.lines[cursor.index];
  // `-- ` begins the signature that `git format-patch` ends a mail with.
  const is_header = next !== undefined && cursor.lines[cursor.index + 1]?.startsWith("+++ ");
  if (next !== undefined && /^[ +\\-]/.test(next) && next !== "-- " && next !== "--" && !is_header) {
    throw malformed(cursor.index + 1, "the hunk above has more lines than its header counts");
  }
  return hunks;
}

/** @throws RejectedInput `DIFF_MALFORMED` when the hunks cannot be what the file's header says */
export function checkHunks(file: FileDiff, line: number): void {
  const sides = file.hunks.map((hunk) =>
    file.kind === "added" ? hunk.before_count : file.kind === "deleted" ? hunk.after_count : 0,
  );
  if (sides.some((count) => count > 0) || (file.kind !== "modified" && isWhole(file) && sides.length > 1)) {
    throw malformed(line, `a file that is ${file.kind} has one hunk, with nothing on its other side`);
  }
  if (file.kind === "modified" && file.hunks.length === 0 && file.before_mode === file.after_mode) {
    throw malformed(line, "the file's header is followed by no change");
  }
}

function isWhole(file: FileDiff): boolean {
  return file.kind === "added" || file.kind === "deleted";
}

function parseHunk(cursor: DiffCursor, ended: { before: boolean; after: boolean }): Hunk {
  const header = cursor.lines[cursor.index] ?? "";
  const line = cursor.index + 1;
  const match = HEADER.exec(header);
  if (match === null) throw malformed(line, "the hunk header is not `@@ -start,count +start,count @@`");
  const [before_start = 0, before_count = 1, after_start = 0, after_count = 1] = match
    .slice(1)
    .map((digits) => (digits === undefined ? undefined : Number(digits)));
  if ((before_start === 0 && before_count > 0) || (after_start === 0 && after_count > 0)) {
    throw malformed(line, "lines count from 1");
  }
  cursor.index += 1;
  const lines = parseBody(cursor, { before: before_count, after: after_count }, ended);
  if (lines.every(({ kind }) => kind === "context")) throw malformed(line, "the hunk changes nothing");
  return { header, line, before_start, before_count, after_start, after_count, lines };
}

function parseBody(
  cursor: DiffCursor,
  left: { before: number; after: number },
  ended: { before: boolean; after: boolean },
): DiffLine[] {
  const lines: DiffLine[] = [];
  while (left.before > 0 || left.after > 0) {
    const text = cursor.lines[cursor.index];
    if (text === undefined) throw malformed(cursor.index, "the diff ends in the middle of a hunk");
    if (text.startsWith("\\")) {
      markNoNewline(cursor, lines, ended);
      continue;
    }
    const line = parseLine(text, cursor.index + 1);
    if (line.kind !== "insert") left.before -= 1;
    if (line.kind !== "delete") left.after -= 1;
    if (left.before < 0 || left.after < 0) {
      throw malformed(cursor.index + 1, "the hunk has more lines than its header counts");
    }
    if ((line.kind !== "insert" && ended.before) || (line.kind !== "delete" && ended.after)) {
      throw malformed(cursor.index + 1, "a line follows one that is marked as the file's last");
    }
    lines.push(line);
    cursor.index += 1;
  }
  if (cursor.lines[cursor.index]?.startsWith("\\")) markNoNewline(cursor, lines, ended);
  return lines;
}

function parseLine(text: string, line: number): DiffLine {
  const rest = `${text.slice(1)}\n`;
  // Some tools cut trailing blanks, which leaves an empty context line with nothing at all.
  if (text === "" || text === "\r") return { kind: "context", text: `${text}\n` };
  if (text.startsWith(" ")) return { kind: "context", text: rest };
  if (text.startsWith("-")) return { kind: "delete", text: rest };
  if (text.startsWith("+")) return { kind: "insert", text: rest };
  throw malformed(line, "a line of a hunk begins with a blank, `+`, `-` or `\\`");
}

function markNoNewline(
  cursor: DiffCursor,
  lines: DiffLine[],
  ended: { before: boolean; after: boolean },
): void {
  const last = lines.at(-1);
  if (last === undefined || !last.text.endsWith("\n")) {
    throw malformed(cursor.index + 1, "`\\ No newline at end of file` follows no line");
  }
  last.text = last.text.slice(0, -1);
  if (last.kind !== "insert") ended.before = true;
  if (last.kind !== "delete") ended.after = true;
  cursor.index += 1;
}
