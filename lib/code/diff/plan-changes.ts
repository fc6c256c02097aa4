import { applyHunks } from "#lib/code/diff/apply-hunks.ts";
import {
  binaryUnsupported,
  type FileDiff,
  type FileMode,
  pathOf,
  pathUnsafe,
} from "#lib/code/diff/file-diff.ts";
import { diskKind, type FileState, readFileState } from "#lib/code/diff/file-state.ts";
import { isText } from "#lib/code/diff/text-lines.ts";
import { ancestorsOf } from "#lib/code/tree/tree-path.ts";
import { RejectedInput } from "#lib/platform/errors/fault.ts";

/** What a diff makes of the paths it touches: their new state, or null for gone. */
export type PlannedChanges = Map<string, FileState | null>;

/**
 * Applies file diffs one after another in memory, so that a later one sees what an earlier one
 * did, and nothing is written when any of them fails.
 *
 * @throws RejectedInput as `applyDiff` lists
 */
export async function planChanges(directory: string, files: readonly FileDiff[]): Promise<PlannedChanges> {
  const planned: PlannedChanges = new Map();
  for (const file of files) {
    const before = file.before_path === null ? undefined : await existing(directory, file, planned);
    const is_new = file.after_path !== null && file.after_path !== file.before_path;
    if (is_new && (await stateOf(directory, file.after_path ?? "", planned)) !== undefined) {
      throw new RejectedInput(
        "DIFF_TARGET_EXISTS",
        `The diff makes ${JSON.stringify(file.after_path)}, which is there already. Make the diff against the source that was submitted.`,
      );
    }
    const after = afterState(file, before);
    if (file.before_path !== null && file.kind !== "copied") planned.set(file.before_path, null);
    if (file.after_path !== null) planned.set(file.after_path, after);
  }
  return planned;
}

async function stateOf(
  directory: string,
  path: string,
  planned: PlannedChanges,
): Promise<FileState | undefined> {
  const state = planned.get(path);
  if (state !== undefined) return state ?? undefined;
  for (const ancestor of ancestorsOf(path)) {
    // A file or link that goes leaves room for a directory; nothing is on disk below it.
    if (planned.get(ancestor) === null && (await diskKind(directory, ancestor)) !== "directory")
      return undefined;
  }
  return readFileState(directory, path);
}

async function existing(directory: string, file: FileDiff, planned: PlannedChanges): Promise<FileState> {
  const path = file.before_path ?? "";
  const state = await stateOf(directory, path, planned);
  if (state === undefined) {
    throw new RejectedInput(
      "DIFF_TARGET_MISSING",
      `The diff changes ${JSON.stringify(path)}, which is no file in the tree. Make the diff against the source that was submitted.`,
    );
  }
  // A pure rename or copy says no mode, and none is needed.
  if (file.before_mode === undefined && file.hunks.length === 0) return state;
  if ((state.mode === "120000") !== (file.before_mode === "120000")) {
    if (state.mode === "120000") throw pathUnsafe(path, "is a symbolic link in the tree");
    throw notApplicable(file, "the diff takes it for a symbolic link, but it is a file");
  }
  return state;
}

function afterState(file: FileDiff, before: FileState | undefined): FileState {
  const mode: FileMode = file.after_mode ?? before?.mode ?? "100644";
  if (before !== undefined && file.kind !== "deleted" && (mode === "120000") !== (before.mode === "120000")) {
    throw notApplicable(file, "a file becomes a link only by being deleted and added");
  }
  const bytes = before?.bytes ?? Buffer.alloc(0);
  if (file.hunks.length > 0 && !isText(bytes)) throw binaryUnsupported(pathOf(file));
  const changed = file.hunks.length === 0 ? bytes : Buffer.from(applyHunks(bytes.toString("utf8"), file));
  if (file.kind === "deleted" && changed.length > 0) {
    throw notApplicable(file, "the diff deletes it but leaves lines of it");
  }
  return { mode, bytes: changed };
}

function notApplicable(file: FileDiff, problem: string): RejectedInput {
  return new RejectedInput(
    "DIFF_DOES_NOT_APPLY",
    `${pathOf(file)}: ${problem}. Make the diff against the source that was submitted.`,
  );
}
