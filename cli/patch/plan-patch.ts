import { applyHunks } from "#lib/code/diff/apply-hunks.ts";
import { applyBinary } from "#lib/code/diff/binary-patch.ts";
import { doesNotApply, type FileMode, objectId, pathUnsafe } from "#lib/code/diff/file-diff.ts";
import type { FileState } from "#lib/code/diff/read-tree.ts";
import { findEscapingLink, linkTargetProblem } from "#lib/code/tree/tree-link.ts";
import { ancestorsOf } from "#lib/code/tree/tree-path.ts";
import { CliError } from "../cli-error.ts";
import { exitCode } from "../exit-code.ts";
import type { PatchBase } from "./patch-base.ts";
import { type PathChange, pathChanges, standingOf } from "./path-change.ts";
import type { TaskPatch } from "./task-patch.ts";

/** A path that is still to be changed. */
export interface PlannedPath {
  path: string;
  before: FileState | undefined;
  /** Undefined where nothing is left. */
  after: FileState | undefined;
}

/** What is left to do, and how many paths stand as the patch leaves them. */
export interface PatchPlan {
  todo: PlannedPath[];
  done: number;
}

/** Content by its object id that an earlier run, which was stopped, had prepared. */
export type Prepared = (id: string) => FileState["bytes"] | undefined;

/**
 * Reads what the base has at each path of a patch, and makes what it is to have. Nothing is written.
 *
 * @throws CliError `FILES_DIFFER`, naming every path that stands neither as the task was given it nor as the patch
 * leaves it; Fault `DIFF_PATH_UNSAFE` and the codes of `applyHunks` and `applyBinary`
 */
export async function planPatch(
  { files, view }: Pick<TaskPatch, "files" | "view">,
  base: PatchBase,
  prepared: Prepared = () => undefined,
): Promise<PatchPlan> {
  const changes = pathChanges(files);
  const found = new Map<string, FileState | undefined>();
  const todo: PathChange[] = [];
  const differing: string[] = [];
  for (const change of changes.values()) {
    const state = await readPath(change.path, changes, base);
    found.set(change.path, state);
    const standing = standingOf(change, state);
    const blocked = standing === "before" ? await blockedBy(change, changes, base) : undefined;
    if (blocked !== undefined) differing.push(`${change.path} ${blocked}`);
    else if (typeof standing === "object") differing.push(`${change.path} ${standing.differs}`);
    else if (standing === "before" && !isSame(change)) todo.push(change);
  }
  if (differing.length > 0) throw filesDiffer(differing, base, view.task_id);
  const planned = todo.map((change) => {
    const before = found.get(change.path);
    return { path: change.path, before, after: afterState(change, found, prepared) };
  });
  const made = new Map(planned.map(({ path, after }) => [path, after]));
  await checkLinks(new Map([...found, ...made]), base);
  return { todo: planned, done: changes.size - todo.length };
}

/** A patch may say that a path stays as it is; then there is nothing to do. */
function isSame({ before, after }: PathChange): boolean {
  return before?.id !== undefined && before.id === after?.id && before.mode === after.mode;
}

/** @throws Fault `DIFF_PATH_UNSAFE` when the way to the path goes through a link that stays */
async function readPath(
  path: string,
  changes: ReadonlyMap<string, PathChange>,
  base: PatchBase,
): Promise<FileState | undefined> {
  for (const ancestor of ancestorsOf(path)) {
    const leaves = changes.has(ancestor) && changes.get(ancestor)?.after === undefined;
    if (leaves && (await base.kind(ancestor)) !== "directory") return undefined;
  }
  return base.read(path);
}

/** What is in the way of a file that the patch makes, as the end of a sentence. */
async function blockedBy(
  { path, after }: PathChange,
  changes: ReadonlyMap<string, PathChange>,
  base: PatchBase,
): Promise<string | undefined> {
  if (after === undefined) return undefined;
  const leaves = (other: string) => changes.has(other) && changes.get(other)?.after === undefined;
  for (const ancestor of ancestorsOf(path)) {
    const kind = await base.kind(ancestor);
    if (kind === "file" && !leaves(ancestor)) return `cannot be made, for ${ancestor} is a file`;
  }
  if ((await base.kind(path)) !== "directory") return undefined;
  const stays = (await base.below(path)).find((other) => !leaves(other));
  if (stays !== undefined) return `cannot be made, for ${stays} is there`;
  const emptied = [...changes.keys()].some((other) => other.startsWith(`${path}/`));
  return emptied ? undefined : "cannot be made, for a directory is there";
}

function filesDiffer(differing: string[], base: PatchBase, task_id: string): CliError {
  const number = differing.length === 1 ? "1 file differs" : `${differing.length} files differ`;
  const message = `In ${base.name} ${number} from what ${task_id} was given. Nothing was changed.`;
  const hint =
    base.name === "the working tree"
      ? "Run it where the source was submitted from (--directory <path>), with these files as they were then; or submit again."
      : "A branch is made from HEAD: commit what you submitted first, or apply it to the working tree, without --branch.";
  return new CliError(exitCode.failed, "FILES_DIFFER", message, { hints: [...differing, hint] });
}

/** For a branch, which would have no commit of its own. */
export function nothingToCommit(task_id: string): CliError {
  const message = `The commit that is checked out has the patch of ${task_id} already.`;
  return new CliError(exitCode.failed, "NOTHING_TO_COMMIT", message, { hints: ["Nothing was changed."] });
}

/** Links may neither be changed to lead out of the tree, nor stand for a file of git's own. */
async function checkLinks(
  states: ReadonlyMap<string, FileState | undefined>,
  base: PatchBase,
): Promise<void> {
  const made = [...states].flatMap(([path, state]) =>
    state?.mode === "120000" ? [{ path, target: state.bytes.toString("utf8") }] : [],
  );
  if (made.length === 0) return;
  const links = await base.links();
  for (const path of states.keys()) links.delete(path);
  // A link that is not of the patch may lead anywhere; that was so before.
  for (let path = findEscapingLink(links); path !== undefined; path = findEscapingLink(links)) {
    links.delete(path);
  }
  for (const { path, target } of made) {
    const problem = linkTargetProblem(target);
    if (problem !== undefined) throw pathUnsafe(path, `is a symbolic link whose target ${problem}`);
    if (/(?:^|\/)\.git(?:modules|attributes|ignore)$/i.test(path)) {
      throw pathUnsafe(path, "is a file of git's own and may not be a symbolic link");
    }
    links.set(path, target);
  }
  const escaping = findEscapingLink(links);
  if (escaping !== undefined) {
    throw pathUnsafe(escaping, `is a link to ${JSON.stringify(links.get(escaping))}, out of the tree`);
  }
}

function afterState(
  { path, after, from }: PathChange,
  found: ReadonlyMap<string, FileState | undefined>,
  prepared: Prepared,
): FileState | undefined {
  if (after === undefined || from === undefined) return undefined;
  const known = after.id === undefined ? undefined : prepared(after.id);
  const source = from.before_path === null ? undefined : found.get(from.before_path);
  const mode_changes = from.before_mode !== undefined && from.before_mode !== from.after_mode;
  const kept = mode_changes ? undefined : source?.mode;
  const mode: FileMode = kept ?? after.mode ?? "100644";
  if (known !== undefined) return { mode, bytes: known };
  const bytes = contentOf(path, from, source?.bytes);
  if (after.id !== undefined && objectId(bytes) !== after.id) {
    throw doesNotApply(path, "the patch gives other bytes than its `index` line says");
  }
  return { mode, bytes };
}

function contentOf(path: string, from: NonNullable<PathChange["from"]>, before: Buffer | undefined): Buffer {
  if (from.binary !== undefined) return applyBinary(before, from.binary, { path, index: from.index });
  const bytes = before ?? Buffer.alloc(0);
  return from.hunks.length === 0 ? bytes : applyHunks(bytes, from);
}
