import type { DiffCursor } from "#lib/code/diff/diff-cursor.ts";
import { commonPath, unquotePath } from "#lib/code/diff/diff-path.ts";
import { malformed } from "#lib/code/diff/file-diff.ts";

/** The one path in `a/x b/x`, which may have blanks in it, so that only equality parts it. */
export function splitGitNames(names: string): string | undefined {
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

/** The names after `---` and `+++`, null for /dev/null, with prefixes. */
export function parseNames(cursor: DiffCursor): { before: string | null; after: string | null } {
  const before_line = cursor.index + 1;
  const before = takeHeaderLine(cursor).slice("--- ".length);
  if (!cursor.lines[cursor.index]?.startsWith("+++ ")) {
    throw malformed(cursor.index + 1, "`--- name` is not followed by `+++ name`");
  }
  const after = takeHeaderLine(cursor).slice("+++ ".length);
  if (!cursor.lines[cursor.index]?.startsWith("@@ -")) {
    throw malformed(cursor.index + 1, "the names are not followed by a hunk");
  }
  return { before: shownName(before, before_line), after: shownName(after, before_line + 1) };
}

/** A name ends at a tab, after which some tools give a time. */
function shownName(text: string, line: number): string | null {
  const name = readName(text.startsWith('"') ? text : (text.split("\t")[0] ?? ""), line);
  return name === "/dev/null" ? null : name;
}

/** A name, quoted or not. */
export function readName(text: string, line: number): string {
  if (!text.startsWith('"')) return text;
  const unquoted = unquotePath(text);
  if (unquoted === undefined) throw malformed(line, "the quoted name is broken");
  return unquoted.path;
}

/** The line the cursor is at, which must be whole. */
export function takeHeaderLine(cursor: DiffCursor): string {
  const text = cursor.lines[cursor.index] ?? "";
  cursor.index += 1;
  if (text.endsWith("\r")) {
    throw malformed(cursor.index, "the header ends with a carriage return: the diff was converted to CRLF");
  }
  return text;
}
