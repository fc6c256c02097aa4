import { type DiffLine, type Hunk, malformed } from "#lib/code/diff/file-diff.ts";

/** Where a parser stands in a diff; its functions move `index` past what they read. */
export interface DiffCursor {
  /** Bytes as Latin-1, without the line ending `\n`. */
  readonly lines: readonly string[];
  /** The last line has no `\n`: it may be cut off. */
  readonly is_cut: boolean;
  index: number;
}

/** @throws RejectedInput `DIFF_MALFORMED` when the line at the cursor is the last and may be cut off */
export function refuseCut({ lines, is_cut, index }: DiffCursor): void {
  if (is_cut && index === lines.length - 1) {
    throw malformed(
      index + 1,
      "the diff's last line has no newline, so it may be cut off; add the newline if it is whole",
    );
  }
}

/** A marker was read: the file's last line is behind, on that side. */
interface Ended {
  before: boolean;
  after: boolean;
}

const HEADER = /^@@ -(\d{1,9})(?:,(\d{1,9}))? \+(\d{1,9})(?:,(\d{1,9}))? @@/;
/** `\ No newline at end of file`, in any language; git asks for this length too. */
const NO_NEWLINE = /^\\ .{10,}/s;

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
  return hunks;
}

function parseHunk(cursor: DiffCursor, ended: Ended): Hunk {
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
  const hunk = { header, line, before_start, before_count, after_start, after_count };
  const lines = parseBody(cursor, hunk, ended);
  if (lines.every(({ kind }) => kind === "context")) throw malformed(line, "the hunk changes nothing");
  return { ...hunk, lines };
}

function parseBody(cursor: DiffCursor, hunk: Omit<Hunk, "lines">, ended: Ended): DiffLine[] {
  const body_index = cursor.index;
  const lines: DiffLine[] = [];
  let before = hunk.before_count;
  let after = hunk.after_count;
  while (before > 0 || after > 0) {
    const text = cursor.lines[cursor.index];
    if (text?.startsWith("\\")) {
      markNoNewline(cursor, lines, ended);
      continue;
    }
    const kind = text === undefined ? undefined : lineKind(text);
    if (text === undefined || kind === undefined) throw miscounted(cursor, hunk, body_index);
    if (kind !== "insert") before -= 1;
    if (kind !== "delete") after -= 1;
    if (before < 0 || after < 0) throw miscounted(cursor, hunk, body_index);
    if ((kind !== "insert" && ended.before) || (kind !== "delete" && ended.after)) {
      throw malformed(cursor.index + 1, "a line follows one that is marked as the file's last");
    }
    refuseCut(cursor);
    // Some tools cut trailing blanks, which leaves nothing of an empty context line.
    lines.push({ kind, text: `${text.slice(1)}\n` });
    cursor.index += 1;
  }
  if (cursor.lines[cursor.index]?.startsWith("\\")) markNoNewline(cursor, lines, ended);
  if (isBodyLine(cursor, cursor.index)) throw miscounted(cursor, hunk, body_index);
  return lines;
}

function lineKind(text: string): DiffLine["kind"] | undefined {
  if (text === "" || text.startsWith(" ")) return "context";
  if (text.startsWith("-")) return "delete";
  return text.startsWith("+") ? "insert" : undefined;
}

/** Whether the line can only belong to the hunk above it: it is marked, and begins nothing else. */
function isBodyLine({ lines }: DiffCursor, index: number): boolean {
  const text = lines[index];
  if (text === undefined || !/^[ +\\-]/.test(text)) return false;
  if (text.startsWith("--- ") && lines[index + 1]?.startsWith("+++ ")) return false;
  // `-- ` begins the signature that `git format-patch` ends a mail with.
  return text !== "-- " && text !== "--" && text !== "-- \r";
}

/** Says what is wrong with a hunk's counts and, where its lines can be counted, which are right. */
function miscounted(cursor: DiffCursor, hunk: Omit<Hunk, "lines">, body_index: number): Error {
  let before = 0;
  let after = 0;
  let end = body_index;
  for (; end < cursor.lines.length; end++) {
    const text = cursor.lines[end] ?? "";
    const is_inner_blank = text === "" && isBodyLine(cursor, end + 1);
    if (!is_inner_blank && !isBodyLine(cursor, end)) break;
    const kind = lineKind(text);
    if (kind !== undefined && kind !== "insert") before += 1;
    if (kind !== undefined && kind !== "delete") after += 1;
  }
  if (before === hunk.before_count && after === hunk.after_count) {
    return malformed(cursor.index + 1, "a line of a hunk begins with a blank, `+`, `-` or `\\`");
  }
  const start = (stated: number, count: number) => Math.max(stated, count === 0 ? 0 : 1);
  const right = `@@ -${start(hunk.before_start, before)},${before} +${start(hunk.after_start, after)},${after} @@`;
  const shown = hunk.header.slice(0, hunk.header.indexOf(" @@", 3) + 3);
  const next = cursor.lines[end];
  const cut = next === undefined || next === "" ? "" : `, up to ${JSON.stringify(next.slice(0, 80))}`;
  return malformed(
    hunk.line,
    `the hunk's header \`${shown}\` counts ${hunk.before_count} lines before and ${hunk.after_count} after, but the lines that follow${cut} are ${before} before and ${after} after: with these lines, \`${right}\` is right. If lines of the hunk were lost, add them again`,
  );
}

function markNoNewline(cursor: DiffCursor, lines: DiffLine[], ended: Ended): void {
  const last = lines.at(-1);
  if (!NO_NEWLINE.test(cursor.lines[cursor.index] ?? "")) {
    throw malformed(cursor.index + 1, "a line that begins with `\\` is not `\\ No newline at end of file`");
  }
  if (last === undefined || !last.text.endsWith("\n")) {
    throw malformed(cursor.index + 1, "`\\ No newline at end of file` follows no line");
  }
  last.text = last.text.slice(0, -1);
  if (last.kind !== "insert") ended.before = true;
  if (last.kind !== "delete") ended.after = true;
  cursor.index += 1;
}
