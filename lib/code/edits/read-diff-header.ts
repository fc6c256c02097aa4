import { readName, splitGitNames } from "#lib/code/diff/diff-path.ts";
import type { AnswerCursor } from "#lib/code/edits/answer-lines.ts";
import { plainPath } from "#lib/code/edits/edited-tree.ts";
import { RejectedInput } from "#lib/platform/errors/fault.ts";

/** What a diff says of one file before its hunks. */
export interface DiffHeader {
  kind: "added" | "modified" | "deleted" | "renamed";
  path: string;
  before_path: string;
  is_executable: boolean;
  /** A part of the header that no edit can do. */
  unreadable?: string;
}

interface Names {
  /** Null for /dev/null. */
  before: string | null;
  after: string | null;
}

/** What git writes between `diff --git` and `---`, by its first words. */
type GitLines = Map<string, string>;

const GIT_LINE =
  /^(old mode|new mode|deleted file mode|new file mode|copy from|copy to|rename from|rename to|similarity index|dissimilarity index|index) (.*)$/s;
/** First parts of two names that mean the same file. */
const PREFIXES = [
  ["a/", "b/"],
  ["old/", "new/"],
  ["orig/", "new/"],
  ["original/", "modified/"],
  ["before/", "after/"],
] as const;

/** Whether the diff of a file begins at the cursor. */
export function beginsDiff({ lines, index }: AnswerCursor): boolean {
  const line = lines[index] ?? "";
  if (line.startsWith("diff --git ")) return true;
  if (!line.startsWith("--- ") || !lines[index + 1]?.startsWith("+++ ")) return false;
  // A deleted line `-- x` and a new line `++ x` look the same, but no hunk follows them.
  return /^(?:@@|[-+ ])/.test(lines[index + 2] ?? "");
}

/** Reads the header at the cursor, and leaves the cursor after it. */
export function readHeader(cursor: AnswerCursor): DiffHeader | { problem: string; path?: string } {
  const { lines } = cursor;
  const git: GitLines = new Map();
  const first = lines[cursor.index] ?? "";
  const git_names = first.startsWith("diff --git ") ? first.slice("diff --git ".length).trimEnd() : undefined;
  if (git_names !== undefined) {
    cursor.index += 1;
    for (let match = gitLine(cursor); match; match = gitLine(cursor)) {
      git.set(match[1] ?? "", (match[2] ?? "").trimEnd());
      cursor.index += 1;
    }
  }
  try {
    return headerOf(git, namesAt(cursor) ?? namesOfGit(git_names), cursor);
  } catch (error) {
    if (error instanceof RejectedInput) return { problem: "the quoted name of a file is broken" };
    throw error;
  }
}

function gitLine({ lines, index }: AnswerCursor): RegExpExecArray | null {
  return GIT_LINE.exec(lines[index] ?? "");
}

/** The names after `---` and `+++`; the cursor is left after them. */
function namesAt(cursor: AnswerCursor): Names | undefined {
  const before = cursor.lines[cursor.index] ?? "";
  const after = cursor.lines[cursor.index + 1] ?? "";
  if (!before.startsWith("--- ") || !after.startsWith("+++ ")) return undefined;
  cursor.index += 2;
  return { before: nameOf(before.slice(4)), after: nameOf(after.slice(4)) };
}

/** A name as text: a time behind it is cut off, and git's quotes are undone. */
function nameOf(written: string): string | null {
  const name = (written.split("\t", 1)[0] ?? "").trimEnd();
  if (name === "/dev/null") return null;
  return name.startsWith('"') ? fromBytes(readName(asBytes(name), 0)) : name;
}

function namesOfGit(git_names: string | undefined): Names | undefined {
  const names = git_names === undefined ? undefined : splitGitNames(asBytes(git_names), undefined);
  return names && { before: fromBytes(names.before), after: fromBytes(names.after) };
}

/** The diff engine keeps bytes as Latin-1 text. */
function asBytes(text: string): string {
  return Buffer.from(text).toString("latin1");
}

function fromBytes(latin1: string): string {
  return Buffer.from(latin1, "latin1").toString("utf8");
}

function headerOf(
  git: GitLines,
  names: Names | undefined,
  cursor: AnswerCursor,
): DiffHeader | { problem: string; path?: string } {
  const from = git.get("rename from");
  const to = git.get("rename to");
  if (from !== undefined && to !== undefined) {
    const path = plainPath(nameOf(to) ?? "");
    return header("renamed", path, git, plainPath(nameOf(from) ?? ""));
  }
  if (names === undefined)
    return { problem: "its names cannot be told; write `--- a/<path>` and `+++ b/<path>`" };
  const path = pathOf(names);
  if (path === undefined) return { problem: "the names after `---` and `+++` mean different files, or none" };
  const line = cursor.lines[cursor.index] ?? "";
  if (line.startsWith("GIT binary patch") || /^Binary files .* differ/.test(line)) {
    return { problem: "it changes a binary file, and only text can be edited", path };
  }
  if (git.has("copy from")) return { problem: "it copies a file; write the whole new file instead", path };
  if (/^(?:120000|160000)$/.test(git.get("new file mode") ?? "")) {
    return { problem: "it makes a link, and only files can be made", path };
  }
  const is_added = names.before === null || git.has("new file mode");
  const is_deleted = names.after === null || git.has("deleted file mode");
  if (is_added && is_deleted) return { problem: "a file is either made or deleted", path };
  return header(is_added ? "added" : is_deleted ? "deleted" : "modified", path, git, path);
}

function header(kind: DiffHeader["kind"], path: string, git: GitLines, before_path: string): DiffHeader {
  const changes_mode = git.has("old mode") && git.get("old mode") !== git.get("new mode");
  const mode = git.get("new file mode");
  const unreadable = changes_mode ? { unreadable: "the mode of a file cannot be changed" } : {};
  return { kind, path, before_path, is_executable: mode === "100755", ...unreadable };
}

function pathOf({ before, after }: Names): string | undefined {
  if (before === null || after === null) {
    const name = before ?? after;
    if (name === null) return undefined;
    const prefix = PREFIXES.map((pair) => pair[before === null ? 1 : 0]).find((start) =>
      name.startsWith(start),
    );
    return plainPath(prefix === undefined ? name : name.slice(prefix.length));
  }
  if (before === after) return plainPath(before);
  for (const [left, right] of PREFIXES) {
    const short_before = withoutPrefix(before, left);
    const short_after = withoutPrefix(after, right);
    if (short_before === short_after || short_before === after) return plainPath(short_before);
    if (before === short_after) return plainPath(before);
  }
  return undefined;
}

function withoutPrefix(name: string, prefix: string): string {
  return name.startsWith(prefix) ? name.slice(prefix.length) : name;
}
