import { applyHunks } from "#lib/code/diff/apply-hunks.ts";
import { applyBinary } from "#lib/code/diff/binary-patch.ts";
import { doesNotApply, type FileDiff, type FileMode, pathOf, pathUnsafe } from "#lib/code/diff/file-diff.ts";
import { diskKind, type FileState, readFileState } from "#lib/code/diff/read-tree.ts";
import { ancestorsOf } from "#lib/code/tree/tree-path.ts";
import { Fault, RejectedInput } from "#lib/platform/errors/fault.ts";

/** What a diff makes of the paths it touches: their new state, or null for gone. */
export type PlannedChanges = Map<string, FileState | null>;

/** The file diffs of one mail while they are planned. */
interface Plan {
  directory: string;
  /** What the mails before this one made. */
  earlier: PlannedChanges;
  changed: PlannedChanges;
  /** Paths that the diff deletes or renames. */
  leaving: ReadonlySet<string>;
  /** Paths that the diff has made so far. */
  made: Set<string>;
}

/**
 * Applies file diffs in memory, so that nothing is written when one of them fails. As git has it,
 * a rename or copy takes what its source was before the diff, so that files can change places; an
 * edit of a file that was edited before in the diff goes on from there.
 *
 * The mails of a series are applied one after another, as `git am` does. `git apply` takes them
 * for one diff; a series that would come out differently then is refused.
 *
 * @throws RejectedInput as `applyDiff` lists
 */
export async function planChanges(directory: string, mails: readonly FileDiff[][]): Promise<PlannedChanges> {
  const planned: PlannedChanges = new Map();
  for (const files of mails) {
    for (const [path, state] of await planMail(directory, files, planned)) planned.set(path, state);
  }
  if (mails.length > 1) {
    const at_once = await planMail(directory, mails.flat(), new Map()).catch((error) => {
      if (error instanceof Fault && error.code !== "DIFF_ORDER_UNCLEAR") return undefined;
      throw error;
    });
    const [differing] = at_once ? differingPaths(planned, at_once) : [];
    if (differing !== undefined)
      throw orderUnclear(differing, "one mail of the series changes what another one moves or makes");
  }
  return planned;
}

function differingPaths(left: PlannedChanges, right: PlannedChanges): string[] {
  return [...new Set([...left.keys(), ...right.keys()])].filter((path) => {
    const [one, other] = [left.get(path), right.get(path)];
    if (!one || !other) return (one ?? null) !== (other ?? null);
    return one.mode !== other.mode || !one.bytes.equals(other.bytes);
  });
}

async function planMail(
  directory: string,
  files: readonly FileDiff[],
  earlier: PlannedChanges,
): Promise<PlannedChanges> {
  const leaving = new Set(
    files.flatMap(({ kind, before_path }) =>
      before_path !== null && (kind === "deleted" || kind === "renamed") ? [before_path] : [],
    ),
  );
  const plan: Plan = { directory, earlier, changed: new Map(), leaving, made: new Set() };
  for (const file of files) await planFile(file, plan);
  return plan.changed;
}

async function planFile(file: FileDiff, plan: Plan): Promise<void> {
  const { changed, made } = plan;
  const before = await beforeState(file, plan);
  if (file.after_path !== null && file.after_path !== file.before_path) {
    if (await isTaken(file.after_path, plan)) throw targetExists(file.after_path);
  }
  const after = afterState(file, before);
  if (file.unprefixed) await refuseOtherReading(file, plan);
  const { kind, before_path, after_path } = file;
  if (before_path !== null && (kind === "deleted" || kind === "renamed") && !made.has(before_path)) {
    changed.set(before_path, null);
  }
  if (after_path === null) return;
  changed.set(after_path, after);
  if (before_path !== after_path) made.add(after_path);
}

/** What a file diff goes on from; undefined for a file that is made. */
async function beforeState(file: FileDiff, plan: Plan): Promise<FileState | undefined> {
  const { changed, leaving, made } = plan;
  const path = file.before_path;
  if (path === null) return undefined;
  const is_moved = file.kind === "renamed" || file.kind === "copied";
  if (!is_moved && changed.has(path)) {
    const state = changed.get(path);
    if (state && file.kind === "deleted") throw orderUnclear(path, "it changes the file and then deletes it");
    return checkState(file, path, state ?? undefined);
  }
  if (file.kind === "modified" && leaving.has(path) && !made.has(path)) {
    throw orderUnclear(path, "it changes the file and also deletes or renames it");
  }
  if (file.kind === "renamed" && changed.has(path) && !made.has(path)) {
    throw orderUnclear(path, "it renames the file and also changes it");
  }
  return checkState(file, path, await stateOf(path, plan));
}

function checkState(file: FileDiff, path: string, state: FileState | undefined): FileState | undefined {
  if (state === undefined) {
    if (file.may_be_missing) return undefined;
    throw new RejectedInput(
      "DIFF_TARGET_MISSING",
      `The diff changes ${JSON.stringify(path)}, which is no file in the tree. Make the diff against the source that was submitted.`,
    );
  }
  if (file.may_be_missing && state.bytes.length > 0) throw targetExists(path);
  // A pure rename or copy says no mode, and none is needed.
  if (file.before_mode === undefined && file.hunks.length === 0) return state;
  if ((state.mode === "120000") !== (file.before_mode === "120000")) {
    if (state.mode === "120000") throw pathUnsafe(path, "is a symbolic link in the tree");
    throw doesNotApply(pathOf(file), "the diff takes it for a symbolic link, but it is a file");
  }
  return state;
}

/** A file on disk, as the mails before this one leave it. */
async function stateOf(path: string, { directory, earlier }: Plan): Promise<FileState | undefined> {
  const state = earlier.get(path);
  if (state !== undefined) return state ?? undefined;
  for (const ancestor of ancestorsOf(path)) {
    // A file or link that goes leaves room for a directory; nothing is on disk below it.
    if (earlier.get(ancestor) === null && (await diskKind(directory, ancestor)) !== "directory")
      return undefined;
  }
  return readFileState(directory, path);
}

async function isTaken(path: string, plan: Plan): Promise<boolean> {
  const { changed, leaving } = plan;
  if (changed.has(path)) return changed.get(path) !== null;
  if (leaving.has(path)) return false;
  for (const ancestor of ancestorsOf(path)) {
    const leaves = leaving.has(ancestor) || changed.get(ancestor) === null;
    if (leaves && (await diskKind(plan.directory, ancestor)) !== "directory") return false;
  }
  return (await stateOf(path, plan)) !== undefined;
}

function afterState(file: FileDiff, before: FileState | undefined): FileState {
  const mode: FileMode = file.after_mode ?? before?.mode ?? "100644";
  if (before !== undefined && file.kind !== "deleted" && (mode === "120000") !== (before.mode === "120000")) {
    throw doesNotApply(pathOf(file), "a file becomes a link only by being deleted and added");
  }
  const bytes = changedBytes(file, before?.bytes);
  if (file.kind === "deleted" && bytes.length > 0) {
    throw doesNotApply(pathOf(file), "the diff deletes it but leaves lines of it");
  }
  return { mode, bytes, ...(file.may_be_missing && before === undefined ? { is_new: true } : {}) };
}

function changedBytes(file: FileDiff, before: Buffer | undefined): Buffer {
  if (file.binary !== undefined) {
    return applyBinary(before, file.binary, { path: pathOf(file), index: file.index });
  }
  const bytes = before ?? Buffer.alloc(0);
  return file.hunks.length === 0 ? bytes : applyHunks(bytes, file);
}

/**
 * Names without prefixes can be read in two ways: as they are, or as `git apply` does, without the
 * first part. When the diff fits both files, only its author knows which one was meant.
 */
async function refuseOtherReading(file: FileDiff, plan: Plan): Promise<void> {
  const path = file.before_path;
  if (path === null || file.kind === "added") return;
  const other = path.slice(path.indexOf("/") + 1);
  const state = await stateOf(other, plan).catch(() => undefined);
  if (state === undefined) return;
  try {
    afterState({ ...file, before_path: other, after_path: other }, state);
  } catch {
    return;
  }
  throw new RejectedInput(
    "DIFF_STRIP_UNCLEAR",
    `The diff fits both ${JSON.stringify(path)} and ${JSON.stringify(other)}. Add --strip 0 (\`strip\` in the API) for the first, or --strip 1 for the second.`,
  );
}

function targetExists(path: string): RejectedInput {
  return new RejectedInput(
    "DIFF_TARGET_EXISTS",
    `The diff makes ${JSON.stringify(path)}, which is there already. Make the diff against the source that was submitted.`,
  );
}

function orderUnclear(path: string, problem: string): RejectedInput {
  return new RejectedInput(
    "DIFF_ORDER_UNCLEAR",
    `${JSON.stringify(path)} comes out differently when the parts of the diff are applied one after another and all at once: ${problem}. Send one diff of the whole, such as \`git diff <first>~ <last>\` makes it.`,
  );
}
