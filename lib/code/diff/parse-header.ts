import type { DiffCursor } from "#lib/code/diff/diff-cursor.ts";
import { commonPath } from "#lib/code/diff/diff-path.ts";
import { type GitHeaders, readExtendedHeader } from "#lib/code/diff/extended-headers.ts";
import {
  binaryUnsupported,
  type FileDiff,
  type FileMode,
  malformed,
  pathUnsafe,
} from "#lib/code/diff/file-diff.ts";
import { parseNames, splitGitNames, takeHeaderLine } from "#lib/code/diff/header-names.ts";
import { isInGitDirectory, treePathProblem } from "#lib/code/tree/tree-path.ts";

export type FileHeader = Omit<FileDiff, "hunks"> & { has_hunks: boolean };

/** Reads `diff --git …` and all header lines up to the first hunk. */
export function parseGitHeader(cursor: DiffCursor): FileHeader {
  const line = cursor.index + 1;
  const names = takeHeaderLine(cursor).slice("diff --git ".length);
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
