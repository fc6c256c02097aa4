import { quotePath } from "#lib/code/diff/diff-path.ts";
import type { DiffLine, FileDiff } from "#lib/code/diff/file-diff.ts";

/** Writes one file's diff as `git diff` does, with `a/` and `b/`. */
export function formatDiff(file: FileDiff): string {
  const before = `a/${file.before_path ?? file.after_path}`;
  const after = `b/${file.after_path ?? file.before_path}`;
  const lines = [`diff --git ${quotePath(before)} ${quotePath(after)}`, ...modeLines(file)];
  if (file.kind === "renamed") {
    lines.push(
      "similarity index 100%",
      `rename from ${quotePath(file.before_path ?? "")}`,
      `rename to ${quotePath(file.after_path ?? "")}`,
    );
  }
  if (file.index !== undefined) lines.push(`index ${file.index}${indexMode(file)}`);
  if (file.hunks.length > 0) {
    lines.push(
      `--- ${file.before_path === null ? "/dev/null" : quotePath(before)}`,
      `+++ ${file.after_path === null ? "/dev/null" : quotePath(after)}`,
    );
  }
  const hunks = file.hunks.map((hunk) => `${hunk.header}\n${hunk.lines.map(formatLine).join("")}`);
  return `${lines.join("\n")}\n${hunks.join("")}`;
}

function modeLines(file: FileDiff): string[] {
  if (file.kind === "added") return [`new file mode ${file.after_mode ?? "100644"}`];
  if (file.kind === "deleted") return [`deleted file mode ${file.before_mode ?? "100644"}`];
  if (file.before_mode === file.after_mode) return [];
  return [`old mode ${file.before_mode}`, `new mode ${file.after_mode}`];
}

/** A link's mode must be said even when it stays, or its target would be taken for a file's text. */
function indexMode(file: FileDiff): string {
  return file.kind === "modified" && file.before_mode === file.after_mode ? ` ${file.before_mode}` : "";
}

function formatLine(line: DiffLine): string {
  const sign = line.kind === "context" ? " " : line.kind === "delete" ? "-" : "+";
  return line.text.endsWith("\n")
    ? `${sign}${line.text}`
    : `${sign}${line.text}\n\\ No newline at end of file\n`;
}
