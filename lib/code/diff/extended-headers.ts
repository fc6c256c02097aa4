import type { DiffCursor } from "#lib/code/diff/diff-cursor.ts";
import { type FileMode, malformed } from "#lib/code/diff/file-diff.ts";
import { readName, takeHeaderLine } from "#lib/code/diff/header-names.ts";

/** What git says of a file between `diff --git` and `---`. */
export interface GitHeaders {
  deleted?: FileMode;
  added?: FileMode;
  old_mode?: FileMode;
  new_mode?: FileMode;
  from?: string;
  to?: string;
  copies?: boolean;
}

/** Reads one such line; false, and nothing read, when there is none. */
export function readExtendedHeader(cursor: DiffCursor, headers: GitHeaders): boolean {
  const text = cursor.lines[cursor.index] ?? "";
  const line = cursor.index + 1;
  const [, name = "", value = ""] =
    /^(old mode|new mode|deleted file mode|new file mode|copy from|copy to|rename from|rename to|similarity index|dissimilarity index|index) (.*)$/s.exec(
      text,
    ) ?? [];
  if (name === "") return false;
  takeHeaderLine(cursor);
  if (name === "old mode") headers.old_mode = modeOf(value, line);
  else if (name === "new mode") headers.new_mode = modeOf(value, line);
  else if (name === "deleted file mode") headers.deleted = modeOf(value, line);
  else if (name === "new file mode") headers.added = modeOf(value, line);
  else if (name.endsWith(" from")) headers.from = readName(value, line);
  else if (name.endsWith(" to")) headers.to = readName(value, line);
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
