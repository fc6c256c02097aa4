import type { DiffLine, Hunk } from "#lib/code/diff/file-diff.ts";
import { type LineChange, lineChanges } from "#lib/code/diff/line-changes.ts";

const CONTEXT_LINES = 3;

/** The hunks between two texts' lines, with three lines of context as `git diff` has them. */
export function makeHunks(before: readonly string[], after: readonly string[]): Hunk[] {
  const groups: LineChange[][] = [];
  for (const change of lineChanges(before, after)) {
    const group = groups.at(-1);
    const last = group?.at(-1);
    if (group && last && change.before_start - last.before_end <= 2 * CONTEXT_LINES) group.push(change);
    else groups.push([change]);
  }
  return groups.map((group) => hunkOf(group, before, after));
}

function hunkOf(group: readonly LineChange[], before: readonly string[], after: readonly string[]): Hunk {
  const first = group[0] as LineChange;
  const last = group.at(-1) as LineChange;
  const leading = Math.min(CONTEXT_LINES, first.before_start);
  const trailing = Math.min(CONTEXT_LINES, before.length - last.before_end);
  const lines: DiffLine[] = [];
  const take = (kind: DiffLine["kind"], source: readonly string[], from: number, to: number) => {
    for (const text of source.slice(from, to)) lines.push({ kind, text });
  };
  let position = first.before_start - leading;
  for (const change of group) {
    take("context", before, position, change.before_start);
    take("delete", before, change.before_start, change.before_end);
    take("insert", after, change.after_start, change.after_end);
    position = change.before_end;
  }
  take("context", before, position, last.before_end + trailing);
  const before_count = last.before_end + trailing - (first.before_start - leading);
  const after_count = last.after_end + trailing - (first.after_start - leading);
  const before_start = startOf(first.before_start - leading, before_count);
  const after_start = startOf(first.after_start - leading, after_count);
  const header = `@@ -${before_start},${before_count} +${after_start},${after_count} @@`;
  return { header, line: 0, before_start, before_count, after_start, after_count, lines };
}

/** A side without lines is named by the line before it. */
function startOf(index: number, count: number): number {
  return count === 0 ? index : index + 1;
}
