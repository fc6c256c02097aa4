import type { FileChange, FileDiff } from "#lib/code/diff/file-diff.ts";
import { count } from "./format.ts";
import type { Paint } from "./paint.ts";

const BAR_MAX = 40;
const WORDS: Partial<Record<FileChange["change"], string>> = {
  added: "new",
  deleted: "deleted",
  renamed: "renamed",
};

/** One line a file with what was added and taken away, and one with the sums, as `git diff --stat` has it. */
export function diffStat(changes: readonly FileChange[], files: readonly FileDiff[], paint: Paint): string[] {
  const names = changes.map((change) => nameOf(change, files));
  const width = Math.max(0, ...names.map((name) => name.length));
  const most = Math.max(1, ...changes.map(({ insertions, deletions }) => insertions + deletions));
  const number = String(most).length;
  const lines = changes.map((change, index) => {
    const { path, insertions, deletions } = change;
    const is_binary = files.some(({ after_path, before_path, binary }) => {
      return binary !== undefined && (after_path ?? before_path) === path;
    });
    const scale = Math.min(1, BAR_MAX / most);
    const bar = (lines: number, sign: string) =>
      sign.repeat(lines === 0 ? 0 : Math.max(1, Math.round(lines * scale)));
    const total = is_binary ? "bin".padStart(number) : String(insertions + deletions).padStart(number);
    const [added, deleted] = [bar(insertions, "+"), bar(deletions, "-")];
    const signs = `${added && paint.green(added)}${deleted && paint.red(deleted)}`;
    const word = WORDS[change.change];
    const parts = [signs, word === undefined ? "" : paint.dim(`(${word})`)].filter((part) => part !== "");
    return ` ${(names[index] ?? "").padEnd(width)} | ${total} ${parts.join(" ")}`.trimEnd();
  });
  return [...lines, ` ${sums(changes)}`];
}

function nameOf({ path, change }: FileChange, files: readonly FileDiff[]): string {
  const from = files.find(({ after_path, kind }) => kind === "renamed" && after_path === path)?.before_path;
  return change === "renamed" && from ? `${from} → ${path}` : path;
}

/** `2 files changed, 3 insertions(+), 1 deletion(-)` */
export function sums(changes: readonly FileChange[]): string {
  const sum = (field: "insertions" | "deletions") =>
    changes.reduce((total, change) => total + change[field], 0);
  const [insertions, deletions] = [sum("insertions"), sum("deletions")];
  const parts = [`${count(changes.length, "file")} changed`];
  if (insertions > 0 || deletions === 0) parts.push(`${count(insertions, "insertion")}(+)`);
  if (deletions > 0) parts.push(`${count(deletions, "deletion")}(-)`);
  return parts.join(", ");
}
