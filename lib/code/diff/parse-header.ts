import { agreedName, readName, splitGitNames, stripParts } from "#lib/code/diff/diff-path.ts";
import {
  binaryMissing,
  type FileMode,
  formatUnsupported,
  malformed,
  shownText,
} from "#lib/code/diff/file-diff.ts";
import { type DiffCursor, refuseCut } from "#lib/code/diff/parse-hunks.ts";

/** A file's header as written: names are Latin-1 and still have their prefixes. */
export interface FileHeader {
  /** Line of the diff, from 1. */
  line: number;
  is_git: boolean;
  kind: "added" | "modified" | "deleted" | "renamed" | "copied";
  /** Null for /dev/null. Of a renamed or copied file a path without prefix. */
  before: string | null;
  after: string | null;
  before_mode?: FileMode;
  after_mode?: FileMode;
  index?: string;
  /** `---` and `+++` were there. */
  has_names: boolean;
}

/** What git says of a file between `diff --git` and `---`. */
interface GitLines {
  deleted?: FileMode;
  added?: FileMode;
  old_mode?: FileMode;
  new_mode?: FileMode;
  index_mode?: FileMode;
  index?: string;
  from?: string;
  to?: string;
  copies?: boolean;
}

/** Two quoted paths of the longest kind. */
const LINE_CHARACTERS_MAX = 20_000;
const GIT_LINE =
  /^(old mode|new mode|deleted file mode|new file mode|copy from|copy to|rename from|rename to|similarity index|dissimilarity index|index) (.*)$/s;
/** A time after a name: the tab before it is what ends the name. */
const TIME = /\d{4}-\d\d-\d\d \d\d:\d\d(?::\d\d(?:\.\d+)?)?(?: [-+]\d\d:?\d\d)?$/;
const EPOCH_DAY = /\t(1969-12-31|1970-01-01) ([0-2]\d):([0-5]\d):00(?:\.0+)? ([-+])([0-2]\d):?([0-5]\d)$/;

/** Reads `diff --git …` and all header lines up to the first hunk. */
export function parseGitHeader(cursor: DiffCursor, strip: number | undefined): FileHeader {
  const line = cursor.index + 1;
  const names = takeHeaderLine(cursor).slice("diff --git ".length);
  const lines: GitLines = {};
  while (readGitLine(cursor, lines));
  const { from, to } = lines;
  const is_moved = from !== undefined && to !== undefined;
  if (!is_moved && (from !== undefined || to !== undefined)) {
    throw malformed(line, "a rename or copy needs both `from` and `to`");
  }
  const pair = is_moved ? { before: from, after: to } : splitGitNames(names, strip);
  if (pair === undefined) throw malformed(line, "the two names of `diff --git` differ");
  if (/^Binary files .* differ$/.test(cursor.lines[cursor.index] ?? ""))
    throw binaryMissing(shownText(pair.after));
  const shown = cursor.lines[cursor.index]?.startsWith("--- ") ? takeNames(cursor) : undefined;
  if (shown !== undefined) checkShown(shown, pair, is_moved, strip, line);
  const added = lines.added !== undefined;
  const deleted = lines.deleted !== undefined;
  if ((shown?.before === null && !added) || (shown?.after === null && !deleted)) {
    const missing = shown.before === null ? "new file mode 100644" : "deleted file mode 100644";
    throw malformed(
      line,
      `/dev/null after \`diff --git\` needs a line \`${missing}\`, or no \`diff --git\` before it`,
    );
  }
  if (Number(added) + Number(deleted) + Number(is_moved) > 1) {
    throw malformed(line, "a file is either added, deleted, renamed or copied");
  }
  const moved_kind = lines.copies ? "copied" : "renamed";
  const before_mode = lines.old_mode ?? lines.deleted ?? lines.index_mode;
  const after_mode = lines.new_mode ?? lines.added;
  return {
    line,
    is_git: true,
    kind: added ? "added" : deleted ? "deleted" : is_moved ? moved_kind : "modified",
    ...pair,
    ...(before_mode ? { before_mode } : {}),
    ...(after_mode ? { after_mode } : {}),
    ...(lines.index ? { index: lines.index } : {}),
    has_names: shown !== undefined,
  };
}

/** Reads one line of `GitLines`; false, and nothing read, when there is none. */
function readGitLine(cursor: DiffCursor, lines: GitLines): boolean {
  const line = cursor.index + 1;
  const [, name, value = ""] = GIT_LINE.exec(cursor.lines[cursor.index] ?? "") ?? [];
  if (name === undefined) return false;
  takeHeaderLine(cursor);
  if (name === "old mode") lines.old_mode = modeOf(value, line);
  else if (name === "new mode") lines.new_mode = modeOf(value, line);
  else if (name === "deleted file mode") lines.deleted = modeOf(value, line);
  else if (name === "new file mode") lines.added = modeOf(value, line);
  else if (name.endsWith(" from")) lines.from = readName(value, line);
  else if (name.endsWith(" to")) lines.to = readName(value, line);
  else if (name === "index") {
    const [ids = "", mode] = value.split(" ");
    lines.index = ids;
    if (mode !== undefined) lines.index_mode = modeOf(mode, line);
  }
  if (name.startsWith("copy")) lines.copies = true;
  return true;
}

function modeOf(text: string, line: number): FileMode {
  if (text === "120000") return "120000";
  if (/^100[0-7]{3}$/.test(text)) return (Number.parseInt(text, 8) & 0o100) === 0 ? "100644" : "100755";
  if (text === "160000") {
    throw formatUnsupported(line, "it changes a submodule, which is no file of the tree; take that part out");
  }
  throw malformed(line, `mode ${JSON.stringify(text)} is neither a file's nor a link's`);
}

/** `---` and `+++` must name the file that `diff --git`, `rename` or `copy` name. */
function checkShown(
  shown: { before: string | null; after: string | null },
  pair: { before: string; after: string },
  is_moved: boolean,
  strip: number | undefined,
  line: number,
): void {
  const agrees = (name: string | null, given: string) => {
    if (name === null || name === given) return true;
    if (!is_moved) return false;
    const prefix = strip === undefined ? 1 : Math.min(strip, 1);
    return stripParts(name, prefix) === given;
  };
  if (agrees(shown.before, pair.before) && agrees(shown.after, pair.after)) return;
  throw malformed(line, "`diff --git` names another file than `---` and `+++`");
}

/** Reads `--- name` and `+++ name` that no `diff --git` goes before. */
export function parsePlainHeader(cursor: DiffCursor): FileHeader {
  const line = cursor.index + 1;
  const { before, after, before_time, after_time } = takeNames(cursor);
  if (before === null && after === null) throw malformed(line, "both names are /dev/null");
  if (after_time === "(nonexistent)") {
    throw formatUnsupported(
      line,
      "Subversion says that the file is gone, which `git apply` and `patch` do not read; write `+++ /dev/null` instead",
    );
  }
  const added = before === null || isEpoch(before_time);
  const deleted = after === null || (!added && isEpoch(after_time));
  return {
    line,
    is_git: false,
    kind: added ? "added" : deleted ? "deleted" : "modified",
    before,
    after,
    has_names: true,
  };
}

/** The names after `---` and `+++`, and what follows each after a tab. */
function takeNames(cursor: DiffCursor) {
  const before_line = cursor.index + 1;
  const before = takeHeaderLine(cursor).slice("--- ".length);
  if (!cursor.lines[cursor.index]?.startsWith("+++ ")) {
    throw malformed(cursor.index + 1, "`--- name` is not followed by `+++ name`");
  }
  const after = takeHeaderLine(cursor).slice("+++ ".length);
  if (!cursor.lines[cursor.index]?.startsWith("@@ -")) {
    throw malformed(cursor.index + 1, "the names are not followed by a hunk");
  }
  const left = nameAndTime(before, before_line);
  const right = nameAndTime(after, before_line + 1);
  return { before: left.name, before_time: left.time, after: right.name, after_time: right.time };
}

function nameAndTime(text: string, line: number): { name: string | null; time: string } {
  if (text.startsWith('"')) {
    const name = readName(text, line);
    return {
      name: name === "/dev/null" ? null : name,
      time: text.slice(Math.max(0, text.lastIndexOf('"') + 1)),
    };
  }
  const tab = text.indexOf("\t");
  const name = tab < 0 ? text : text.slice(0, tab);
  const time = tab < 0 ? "" : text.slice(tab);
  if (TIME.test(tab < 0 ? name : time) && (tab < 0 || time.lastIndexOf("\t") > 0)) {
    throw malformed(line, "the file's name and its time are not parted by one tab");
  }
  return { name: name === "/dev/null" ? null : name, time: time.startsWith("\t(") ? time.slice(1) : time };
}

/** Whether a file's time is second 0 of 1970, by which `diff -N` says that there is no file. */
function isEpoch(time: string): boolean {
  const [, day, hours, minutes, sign, zone_hours, zone_minutes] = EPOCH_DAY.exec(time) ?? [];
  if (day === undefined) return false;
  const zone = (sign === "-" ? -1 : 1) * (Number(zone_hours) * 60 + Number(zone_minutes));
  return Number(hours) * 60 + Number(minutes) - zone === (day === "1970-01-01" ? 0 : 24 * 60);
}

/** The line the cursor is at, which must be whole. */
function takeHeaderLine(cursor: DiffCursor): string {
  const text = cursor.lines[cursor.index] ?? "";
  refuseCut(cursor);
  cursor.index += 1;
  if (text.endsWith("\r")) {
    throw malformed(cursor.index, "the header ends with a carriage return: the diff was converted to CRLF");
  }
  if (text.length > LINE_CHARACTERS_MAX) throw malformed(cursor.index, "the names are too long");
  return text;
}

/** The path of a header's two names, and how many parts were before it. */
export function headerName(
  { before, after, is_git }: Pick<FileHeader, "before" | "after" | "is_git">,
  strip: number | undefined,
): { name: string; strip: number } | undefined {
  if (before !== null && after !== null) return agreedName(before, after, strip, is_git);
  const only = before ?? after ?? "";
  const count = strip ?? (/^[ab]\//.test(only) ? 1 : only.includes("/") ? undefined : 0);
  const name = count === undefined ? undefined : stripParts(only, count);
  return name === undefined || count === undefined ? undefined : { name, strip: count };
}
