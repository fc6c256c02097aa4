import type { DiffCursor } from "#lib/diff/diff-cursor.ts";
import { commonPath, unquotePath } from "#lib/diff/diff-path.ts";
import {
  binaryUnsupported,
  type FileDiff,
  type FileMode,
  malformed,
  pathUnsafe,
} from "#lib/diff/file-diff.ts";
import { isInGitDirectory, treePathProblem } from "#lib/source/tree-path.ts";

export type FileHeader = Omit<FileDiff, "hunks"> & { has_hunks: boolean };

interface GitHeaders {
  deleted?: FileMode;
  added?: FileMode;
  old_mode?: FileMode;
  new_mode?: FileMode;
  from?: string;
  to?: string;
  copies?: boolean;
}

/** Reads `diff --git …` and all header lines up to the first hunk. */
export function parseGitHeader(cursor: DiffCursor): FileHeader {
  const line = cursor.index + 1;
  const names = takeLine(cursor).slice("diff --git ".length);
  const headers: GitHeaders = {};
  while (readExtendedHeader(cursor, headers));
  const moved = headers.from !== undefined && headers.to !== undefined;
  if (!moved && (headers.from !== undefined || headers.to !== undefined)) {
    throw malformed(line, "a rename or copy needs both `from` and `to`");
  }
  const path = moved ? undefined : splitGitNames(names);
  if (!moved && path === undefined) throw malformed(line, "the two names of `diff --git` differ");
  const before = moved ? (headers.from ?? "") : (path ?? "");
  const after = moved ? (headers.to ?? "") : (path ?? "");
  refuseBinary(cursor, after);
  const shown = cursor.lines[cursor.index]?.startsWith("--- ") ? parseNames(cursor) : undefined;
  if (shown !== undefined) checkShown(shown, before, after, line);
  const added = headers.added !== undefined || shown?.before === null;
  const deleted = headers.deleted !== undefined || shown?.after === null;
  if (Number(added) + Number(deleted) + Number(moved) > 1) {
    throw malformed(line, "a file is either added, deleted, renamed or copied");
  }
  const kind = added ? "added" : deleted ? "deleted" : moved ? movedKind(headers) : "modified";
  return {
    kind,
    before_path: added ? null : safePath(before),
    after_path: deleted ? null : safePath(after),
    ...modesOf(headers),
    has_hunks: shown !== undefined,
  };
}

/** Reads `--- name` and `+++ name` that no `diff --git` goes before. */
export function parsePlainHeader(cursor: DiffCursor): FileHeader {
  const line = cursor.index + 1;
  const { before, after } = parseNames(cursor);
  if (before === null && after === null) throw malformed(line, "both names are /dev/null");
  if (before === null)
    return { kind: "added", before_path: null, after_path: onlyPath(after, "b/"), has_hunks: true };
  if (after === null)
    return { kind: "deleted", before_path: onlyPath(before, "a/"), after_path: null, has_hunks: true };
  const path = commonPath(before, after);
  if (path === undefined) throw malformed(line, "the names after `---` and `+++` differ");
  return { kind: "modified", before_path: safePath(path), after_path: safePath(path), has_hunks: true };
}

function movedKind(headers: GitHeaders): "copied" | "renamed" {
  return headers.copies ? "copied" : "renamed";
}

function modesOf(headers: GitHeaders): { before_mode?: FileMode; after_mode?: FileMode } {
  const before_mode = headers.old_mode ?? headers.deleted;
  const after_mode = headers.new_mode ?? headers.added;
  return { ...(before_mode ? { before_mode } : {}), ...(after_mode ? { after_mode } : {}) };
}

function readExtendedHeader(cursor: DiffCursor, headers: GitHeaders): boolean {
  const text = cursor.lines[cursor.index] ?? "";
  const line = cursor.index + 1;
  const [, name = "", value = ""] =
    /^(old mode|new mode|deleted file mode|new file mode|copy from|copy to|rename from|rename to|similarity index|dissimilarity index|index) (.*)$/s.exec(
      text,
    ) ?? [];
  if (name === "") return false;
  takeLine(cursor);
  if (name === "old mode") headers.old_mode = modeOf(value, line);
  else if (name === "new mode") headers.new_mode = modeOf(value, line);
  else if (name === "deleted file mode") headers.deleted = modeOf(value, line);
  else if (name === "new file mode") headers.added = modeOf(value, line);
  else if (name.endsWith(" from")) headers.from = nameOf(value, line);
  else if (name.endsWith(" to")) headers.to = nameOf(value, line);
  else if (name === "index") readIndexMode(value, line, headers);
  if (name.startsWith("copy")) headers.copies = true;
  return true;
}

/** `index <before>..<after> <mode>` gives the mode of a file whose mode stays. */
function readIndexMode(value: string, line: number, headers: GitHeaders): void {
  const mode = / (\d+)$/.exec(value)?.[1];
  if (mode === undefined) return;
  headers.old_mode ??= modeOf(mode, line);
  headers.new_mode ??= modeOf(mode, line);
}

function modeOf(text: string, line: number): FileMode {
  if (text === "120000") return "120000";
  if (/^100[0-7]{3}$/.test(text)) return (parseInt(text, 8) & 0o100) === 0 ? "100644" : "100755";
  throw malformed(line, `mode ${JSON.stringify(text)} is neither a file's nor a link's`);
}

/** The one path in `a/x b/x`, which may have blanks in it, so that only equality parts it. */
function splitGitNames(names: string): string | undefined {
  if (names.startsWith('"')) {
    const first = unquotePath(names);
    if (first === undefined || !first.rest.startsWith(" ")) return undefined;
    const second = first.rest.slice(1);
    return commonPath(first.path, second.startsWith('"') ? (unquotePath(second)?.path ?? "") : second);
  }
  for (let blank = names.indexOf(" "); blank >= 0; blank = names.indexOf(" ", blank + 1)) {
    const second = names.slice(blank + 1);
    const after = second.startsWith('"') ? unquotePath(second)?.path : second;
    const path = after === undefined ? undefined : commonPath(names.slice(0, blank), after);
    if (path !== undefined) return path;
  }
  return undefined;
}

function parseNames(cursor: DiffCursor): { before: string | null; after: string | null } {
  const before_line = cursor.index + 1;
  const before = takeLine(cursor).slice("--- ".length);
  if (!cursor.lines[cursor.index]?.startsWith("+++ ")) {
    throw malformed(cursor.index + 1, "`--- name` is not followed by `+++ name`");
  }
  const after = takeLine(cursor).slice("+++ ".length);
  if (!cursor.lines[cursor.index]?.startsWith("@@ -")) {
    throw malformed(cursor.index + 1, "the names are not followed by a hunk");
  }
  return { before: shownName(before, before_line), after: shownName(after, before_line + 1) };
}

/** A name ends at a tab, after which some tools give a time. */
function shownName(text: string, line: number): string | null {
  const name = nameOf(text.startsWith('"') ? text : (text.split("\t")[0] ?? ""), line);
  return name === "/dev/null" ? null : name;
}

function nameOf(text: string, line: number): string {
  if (!text.startsWith('"')) return text;
  const unquoted = unquotePath(text);
  if (unquoted === undefined) throw malformed(line, "the quoted name is broken");
  return unquoted.path;
}

function checkShown(
  shown: { before: string | null; after: string | null },
  before: string,
  after: string,
  line: number,
): void {
  const agrees = (name: string | null, path: string) =>
    name === null || name === path || name.slice(name.indexOf("/") + 1) === path;
  if (agrees(shown.before, before) && agrees(shown.after, after)) return;
  throw malformed(line, "`diff --git` names another file than `---` and `+++`");
}

function onlyPath(name: string | null, prefix: string): string {
  const path = name ?? "";
  return safePath(path.startsWith(prefix) ? path.slice(prefix.length) : path);
}

function safePath(path: string): string {
  const problem = treePathProblem(path);
  if (problem !== undefined) throw pathUnsafe(path, problem);
  if (isInGitDirectory(path)) throw pathUnsafe(path, "is in a `.git` directory");
  return path;
}

function refuseBinary(cursor: DiffCursor, path: string): void {
  const text = cursor.lines[cursor.index] ?? "";
  if (text === "GIT binary patch" || /^Binary files .* differ$/.test(text)) throw binaryUnsupported(path);
}

function takeLine(cursor: DiffCursor): string {
  const text = cursor.lines[cursor.index] ?? "";
  cursor.index += 1;
  if (text.endsWith("\r")) {
    throw malformed(cursor.index, "the header ends with a carriage return: the diff was converted to CRLF");
  }
  return text;
}
