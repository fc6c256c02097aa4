import { type FileDiff, pathOf } from "#lib/code/diff/file-diff.ts";
import { byPath } from "#lib/code/tree/tree-path.ts";
import type { CodegenMetrics } from "#schemas/artifacts/codegen-metrics.ts";

export type FileChange = CodegenMetrics["files"][number];

/** What file diffs come to, one entry a path: deleting and adding a file is modifying it. */
export function fileChanges(files: readonly FileDiff[]): FileChange[] {
  const changes = new Map<string, FileChange>();
  for (const file of files) {
    const change = changeOf(file);
    const earlier = changes.get(file.before_path ?? change.path) ?? changes.get(change.path);
    if (earlier !== undefined) changes.delete(earlier.path);
    const merged = earlier === undefined ? change : merge(earlier, change);
    if (merged !== undefined) changes.set(merged.path, merged);
  }
  return [...changes.values()].sort(byPath);
}

function changeOf(file: FileDiff): FileChange {
  const lines = file.hunks.flatMap((hunk) => hunk.lines);
  return {
    path: pathOf(file),
    change: file.kind === "copied" ? "added" : file.kind,
    insertions: lines.filter(({ kind }) => kind === "insert").length,
    deletions: lines.filter(({ kind }) => kind === "delete").length,
  };
}

function merge(earlier: FileChange, later: FileChange): FileChange | undefined {
  if (earlier.change === "added" && later.change === "deleted") return undefined;
  const change =
    later.change === "deleted"
      ? "deleted"
      : earlier.change === "deleted"
        ? "modified"
        : earlier.change === "modified"
          ? later.change
          : earlier.change;
  return {
    path: later.path,
    change,
    insertions: earlier.insertions + later.insertions,
    deletions: earlier.deletions + later.deletions,
  };
}
