import type { DiffCursor } from "#lib/code/diff/diff-cursor.ts";
import { binaryUnsupported, type FileDiff, malformed } from "#lib/code/diff/file-diff.ts";
import { type FileHeader, parseGitHeader, parsePlainHeader } from "#lib/code/diff/parse-header.ts";
import { checkHunks, parseHunks } from "#lib/code/diff/parse-hunk.ts";
import { RejectedInput } from "#lib/platform/errors/fault.ts";

const DIFF_CHARACTERS_MAX = 64 * 1024 * 1024;

/**
 * Parses a unified diff, as git or `diff -u` writes it. Words before a file's header, such as a
 * commit message, are skipped; within hunks every line must be accounted for. The start on the
 * `+` side of a hunk is not used, only its count.
 *
 * @throws RejectedInput `DIFF_EMPTY`, `DIFF_TOO_LARGE`, `DIFF_MALFORMED` (with the line),
 * `DIFF_BINARY_UNSUPPORTED`, `DIFF_PATH_UNSAFE` (absolute, `..`, in `.git`)
 */
export function parseDiff(text: string): FileDiff[] {
  if (text.trim() === "")
    throw new RejectedInput("DIFF_EMPTY", "The diff is empty. Send the output of `git diff`.");
  if (text.length > DIFF_CHARACTERS_MAX) {
    throw new RejectedInput(
      "DIFF_TOO_LARGE",
      `The diff has more than ${DIFF_CHARACTERS_MAX} characters. Put large files into the source instead.`,
    );
  }
  const lines = text.split("\n");
  if (lines.at(-1) === "") lines.pop();
  const cursor: DiffCursor = { lines, index: 0 };
  const files: FileDiff[] = [];
  while (cursor.index < lines.length) {
    const line = cursor.index + 1;
    const header = parseHeader(cursor);
    if (header === undefined) continue;
    const { has_hunks, ...file } = header;
    files.push({ ...file, hunks: has_hunks ? parseHunks(cursor) : [] });
    checkHunks(files.at(-1) as FileDiff, line);
  }
  if (files.length === 0) throw malformed(1, "no file header (`diff --git` or `---` and `+++`) is found");
  return files;
}

/** The next file's header, or undefined after one line that belongs to none. */
function parseHeader(cursor: DiffCursor): FileHeader | undefined {
  const text = cursor.lines[cursor.index] ?? "";
  if (text.startsWith("diff --git ")) return parseGitHeader(cursor);
  if (text.startsWith("--- ") && cursor.lines[cursor.index + 1]?.startsWith("+++ "))
    return parsePlainHeader(cursor);
  if (text.startsWith("@@ -")) throw malformed(cursor.index + 1, "a hunk without a file header");
  const binary = /^Binary files (.*) differ$/.exec(text);
  if (binary !== null || text === "GIT binary patch") throw binaryUnsupported(binary?.[1] ?? "a file");
  cursor.index += 1;
  return undefined;
}
