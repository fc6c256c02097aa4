import { type AnswerCursor, endsFence, malformed } from "#lib/code/edits/answer-lines.ts";
import { isClosing, openingOf } from "#lib/code/edits/read-blocks.ts";
import { beginsDiff, type DiffHeader, readHeader } from "#lib/code/edits/read-diff-header.ts";
import type { AnsweredEdit } from "#schemas/edits.ts";

interface HunkLine {
  kind: "context" | "delete" | "insert";
  /** With a line feed, unless a marker says that the file ends without one. */
  text: string;
}

/** The lines of a hunk, or why they cannot be told. */
type Hunk = { lines: HunkLine[] } | { problem: string };

const COUNTS = /^@@ -\d{1,9}(?:,(\d{1,9}))? \+\d{1,9}(?:,(\d{1,9}))? @@/;
const BODY_LINE = /^[-+ ]/;
const UNCLEAR_AFTER_BLANK =
  "after a blank line it is unclear whether the diff goes on; put the diff into a fence, and a blank before each unchanged line";

/** Whether a hunk begins at the cursor that has no names before it. */
export function looksLikeHunk({ lines, index, fence }: AnswerCursor): boolean {
  const line = lines[index] ?? "";
  if (isHunkHeader(line)) return BODY_LINE.test(lines[index + 1] ?? "");
  return (fence?.info === "diff" || fence?.info === "patch") && /^[-+]/.test(line);
}

function isHunkHeader(line: string): boolean {
  return line === "@@" || line.startsWith("@@ ");
}

/**
 * Reads what a unified diff does to one file, at the cursor, into the same edits as every other form. Models
 * miscount lines: a hunk is read as long as its header says only when that ends where a hunk can end, or else
 * as far as its lines reach. Its line numbers mean nothing: its unchanged and deleted lines are the search text.
 */
export function readDiff(cursor: AnswerCursor): AnsweredEdit[] {
  const from = cursor.index + 1;
  if (!beginsDiff(cursor)) {
    skipHunk(cursor);
    return [
      malformed(
        `The hunk at line ${from} of the answer has no \`---\` and \`+++\` lines with the path of its file before it.`,
      ),
    ];
  }
  const header = readHeader(cursor);
  const edits: AnsweredEdit[] = [];
  if ("problem" in header) {
    while (readHunk(cursor, false) !== undefined);
    return [malformed(`The diff at line ${from} of the answer: ${header.problem}.`, header.path)];
  }
  const { path } = header;
  if (header.unreadable !== undefined) {
    edits.push(malformed(`The diff at line ${from} of the answer: ${header.unreadable}.`, path));
  }
  if (header.kind === "renamed") edits.push({ kind: "rename", path: header.before_path, new_path: path });
  const hunks: { hunk: Hunk; line: number }[] = [];
  for (;;) {
    const line = cursor.index + 1;
    const hunk = readHunk(cursor, header.kind === "added");
    if (hunk === undefined) break;
    hunks.push({ hunk, line });
  }
  edits.push(...editsOf(header, hunks));
  if (edits.length === 0) edits.push(malformed(`The diff at line ${from} of the answer has no hunk.`, path));
  return edits;
}

function editsOf(header: DiffHeader, hunks: readonly { hunk: Hunk; line: number }[]): AnsweredEdit[] {
  const { kind, path } = header;
  if (kind === "added" || kind === "deleted") return [wholeFileEdit(header, hunks)];
  return hunks.map(({ hunk, line }) => {
    if ("problem" in hunk) return malformed(`The hunk at line ${line} of the answer: ${hunk.problem}.`, path);
    const search = side(hunk.lines, "insert");
    return {
      kind: "replace",
      path,
      search,
      replace: side(hunk.lines, "delete"),
      occurrences: 1,
      whole_lines: true,
    };
  });
}

/** A file that is made or deleted: one hunk at most, with lines of one side only. */
function wholeFileEdit(
  { kind, path, is_executable }: DiffHeader,
  hunks: readonly { hunk: Hunk; line: number }[],
): AnsweredEdit {
  const [first, ...others] = hunks;
  const hunk = first?.hunk ?? { lines: [] };
  if ("problem" in hunk)
    return malformed(`The hunk at line ${first?.line} of the answer: ${hunk.problem}.`, path);
  const own = kind === "added" ? "insert" : "delete";
  if (others.length > 0 || hunk.lines.some((line) => line.kind !== own)) {
    const sign = own === "insert" ? "+" : "-";
    return malformed(
      `The diff says that ${JSON.stringify(path)} is ${kind}, so it has one hunk, and every line of that begins with \`${sign}\`.`,
      path,
    );
  }
  const content = hunk.lines.map(({ text }) => text).join("");
  if (kind === "added")
    return { kind: "write", path, content, is_new: true, ...(is_executable && { executable: true }) };
  return { kind: "delete", path, ...(first && { content }) };
}

/** The text of one side of a hunk: all lines but those of the other side. */
function side(lines: readonly HunkLine[], without: HunkLine["kind"]): string {
  return lines.map(({ kind, text }) => (kind === without ? "" : text)).join("");
}

/** The hunk at the cursor, or undefined where the file's part of the diff has ended. */
function readHunk(cursor: AnswerCursor, is_added: boolean): Hunk | undefined {
  const { lines, fence } = cursor;
  // Blank lines before a hunk are skipped only where nothing but the diff can follow.
  if (fence) cursor.index = endOfBlankLines(cursor);
  const line = lines[cursor.index];
  if (line === undefined || endsPart(cursor, cursor.index)) return undefined;
  if (isHunkHeader(line)) cursor.index += 1;
  else if (!BODY_LINE.test(line)) return fence ? skipStrayLines(cursor) : undefined;
  const counted = countedLines(cursor, COUNTS.exec(line), is_added);
  if (counted !== undefined) return { lines: counted };
  const read = reachedLines(cursor, is_added);
  if ("problem" in read) skipHunk(cursor);
  return read;
}

/** Whether another file's diff, an edit of another form, a mail's signature or the end of the fence is at a line. */
function endsPart(cursor: AnswerCursor, index: number): boolean {
  const line = cursor.lines[index] ?? "";
  if ((cursor.fence && endsFence(line, cursor.fence)) || isSignature(cursor, index)) return true;
  return beginsDiff({ ...cursor, index }) || openingOf(line) !== undefined || isClosing(line);
}

function skipStrayLines(cursor: AnswerCursor): Hunk {
  const line = cursor.index + 1;
  skipHunk(cursor);
  return { problem: `line ${line} begins with none of blank, \`+\` and \`-\`` };
}

/** Leaves the cursor at the next hunk or at the end of this file's part. */
function skipHunk(cursor: AnswerCursor): void {
  const { lines, fence } = cursor;
  for (cursor.index += 1; cursor.index < lines.length; cursor.index++) {
    const line = lines[cursor.index] ?? "";
    if (isHunkHeader(line) || endsPart(cursor, cursor.index)) return;
    if (!fence && !BODY_LINE.test(line)) return;
  }
}

/** The lines that the header counts, if a hunk can end after them; else undefined, and the cursor stays. */
function countedLines(
  cursor: AnswerCursor,
  counts: RegExpExecArray | null,
  is_added: boolean,
): HunkLine[] | undefined {
  if (counts === null) return undefined;
  let before = Number(counts[1] ?? 1);
  let after = Number(counts[2] ?? 1);
  const read: HunkLine[] = [];
  let index = cursor.index;
  for (; before > 0 || after > 0; index++) {
    const text = cursor.lines[index];
    if (text?.startsWith("\\")) {
      endWithoutFeed(read);
      continue;
    }
    const line = text === undefined ? undefined : hunkLine(text, is_added);
    if (line === undefined) return undefined;
    if (line.kind !== "insert") before -= 1;
    if (line.kind !== "delete") after -= 1;
    if (before < 0 || after < 0) return undefined;
    read.push(line);
  }
  if (cursor.lines[index]?.startsWith("\\")) {
    endWithoutFeed(read);
    index += 1;
  }
  if (!canEnd(cursor, index)) return undefined;
  cursor.index = index;
  return read;
}

/** Whether no line that belongs to a hunk follows; outside of a fence a blank line parts it from prose. */
function canEnd(cursor: AnswerCursor, index: number): boolean {
  let next = index;
  if (cursor.fence) next = endOfBlankLines({ ...cursor, index });
  if (next >= cursor.lines.length || endsPart(cursor, next)) return true;
  const line = cursor.lines[next] ?? "";
  return isHunkHeader(line) || !BODY_LINE.test(line);
}

/** `-- ` and a version, which `git format-patch` ends a mail with. */
function isSignature({ lines }: AnswerCursor, index: number): boolean {
  return /^-- ?$/.test(lines[index] ?? "") && /^\d+\.\d+/.test(lines[index + 1] ?? "");
}

/** The lines as far as they can belong to a hunk. */
function reachedLines(cursor: AnswerCursor, is_added: boolean): Hunk {
  const read: HunkLine[] = [];
  for (; cursor.index < cursor.lines.length; cursor.index++) {
    const text = cursor.lines[cursor.index] ?? "";
    if (isHunkHeader(text) || endsPart(cursor, cursor.index)) break;
    if (text.startsWith("\\")) {
      endWithoutFeed(read);
      continue;
    }
    if (text === "") {
      const next = endOfBlankLines(cursor);
      if (next === cursor.lines.length || isHunkHeader(cursor.lines[next] ?? "")) break;
      if (endsPart(cursor, next)) break;
      if (!cursor.fence) {
        if (!BODY_LINE.test(cursor.lines[next] ?? "")) break;
        return { problem: UNCLEAR_AFTER_BLANK };
      }
      for (; cursor.index < next; cursor.index++) read.push(hunkLine("", is_added) as HunkLine);
      cursor.index -= 1;
      continue;
    }
    const line = hunkLine(text, is_added);
    if (line === undefined) {
      if (!cursor.fence) break;
      return { problem: `line ${cursor.index + 1} begins with none of blank, \`+\` and \`-\`` };
    }
    read.push(line);
  }
  if (read.length === 0) return { problem: "it has no lines" };
  return { lines: read };
}

function endOfBlankLines({ lines, index }: AnswerCursor): number {
  let end = index;
  while (end < lines.length && lines[end] === "") end++;
  return end;
}

/** A line of a hunk; many tools cut the blank of an empty unchanged line, and models the sign of an empty new one. */
function hunkLine(text: string, is_added: boolean): HunkLine | undefined {
  const ended = `${text.slice(1)}\n`;
  if (text === "") return { kind: is_added ? "insert" : "context", text: "\n" };
  if (text.startsWith(" ")) return { kind: "context", text: ended };
  if (text.startsWith("-")) return { kind: "delete", text: ended };
  return text.startsWith("+") ? { kind: "insert", text: ended } : undefined;
}

function endWithoutFeed(lines: HunkLine[]): void {
  const last = lines.at(-1);
  if (last?.text.endsWith("\n")) last.text = last.text.slice(0, -1);
}
