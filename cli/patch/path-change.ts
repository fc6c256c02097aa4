import type { FileDiff, FileMode } from "#lib/code/diff/file-diff.ts";
import { objectId } from "#lib/code/diff/file-diff.ts";
import type { FileState } from "#lib/code/diff/read-tree.ts";

/** What stands at a path on one side of a patch; undefined for nothing. */
interface Side {
  mode: FileMode | undefined;
  /** Git's object id of the content; undefined where the patch does not say it. */
  id: string | undefined;
}

/** What a patch does at one path. A file that moves is gone at one path and new at another. */
export interface PathChange {
  path: string;
  before: Side | undefined;
  after: Side | undefined;
  /** The part of the patch that gives the content afterwards; undefined where nothing is left. */
  from: FileDiff | undefined;
}

/** What a patch does, path by path. */
export function pathChanges(files: readonly FileDiff[]): Map<string, PathChange> {
  const changes = new Map<string, PathChange>();
  const at = (path: string) => {
    const change = changes.get(path) ?? { path, before: undefined, after: undefined, from: undefined };
    changes.set(path, change);
    return change;
  };
  for (const file of files) {
    if (file.before_path !== null) {
      at(file.before_path).before ??= { mode: file.before_mode, id: idsOf(file).before };
    }
  }
  for (const file of files) {
    if (file.after_path === null) continue;
    const change = at(file.after_path);
    change.after = { mode: file.after_mode ?? file.before_mode, id: idsOf(file).after };
    change.from = file;
  }
  return changes;
}

function idsOf({ index }: FileDiff): { before: string | undefined; after: string | undefined } {
  const [, before, after] = /^([0-9a-f]{40})\.\.([0-9a-f]{40})$/.exec(index ?? "") ?? [];
  return { before, after };
}

/** Where a path stands: as the task was given it, as the patch leaves it, or otherwise, with the reason. */
export type Standing = "before" | "after" | { differs: string };

export function standingOf(change: PathChange, found: FileState | undefined): Standing {
  const mode_changes = change.before?.mode !== change.after?.mode;
  const before = difference(change.before, found, mode_changes);
  if (before === undefined) return "before";
  // Without an id, any file would pass for what the patch makes.
  const is_known = change.after === undefined || change.after.id !== undefined;
  if (is_known && difference(change.after, found, mode_changes) === undefined) return "after";
  return { differs: before };
}

/** How a found file differs from a side, as the end of a sentence; undefined when it does not. */
function difference(
  side: Side | undefined,
  found: FileState | undefined,
  mode_counts: boolean,
): string | undefined {
  if (side === undefined) return found === undefined ? undefined : "is there already";
  if (found === undefined) return "is missing";
  const is_link = found.mode === "120000";
  if (side.mode !== undefined && (side.mode === "120000") !== is_link) {
    return is_link ? "is a symbolic link" : "is no symbolic link";
  }
  if (side.id !== undefined && objectId(found.bytes) !== side.id) return "has other content";
  if (mode_counts && side.mode !== undefined && side.mode !== found.mode) {
    return found.mode === "100755" ? "is executable" : "is not executable";
  }
  return undefined;
}
