import { chmod, mkdir, readdir, readlink, rm, rmdir, symlink, writeFile } from "node:fs/promises";
import { dirname, join, relative, sep } from "node:path";
import type { PathOptions } from "#lib/code/diff/diff-path.ts";
import { type FileChange, type FileDiff, fileChanges, pathUnsafe } from "#lib/code/diff/file-diff.ts";
import { parseDiff } from "#lib/code/diff/parse-diff.ts";
import { type PlannedChanges, planChanges } from "#lib/code/diff/plan-changes.ts";
import { diskKind, readTree } from "#lib/code/diff/read-tree.ts";
import { findEscapingLink } from "#lib/code/tree/tree-link.ts";
import { ancestorsOf } from "#lib/code/tree/tree-path.ts";
import { RejectedInput } from "#lib/platform/errors/fault.ts";

/**
 * Applies a unified diff to a tree, all of it or nothing: every hunk is tried before a byte is
 * written. Strict: a hunk applies at its stated line with every line equal, or at the single other
 * place where it fits; there is no fuzz. Paths are relative to `directory` (or to the directory of
 * it that the options name) and never lead out of it or through a symbolic link.
 *
 * @param diff bytes, or text that is taken as UTF-8
 * @returns what became of each file, by path
 * @throws RejectedInput the codes of `parseDiff`, `DIFF_TARGET_EXISTS`, `DIFF_TARGET_MISSING`,
 * `DIFF_DOES_NOT_APPLY`, `DIFF_ORDER_UNCLEAR`, `DIFF_TOO_LARGE`
 */
export async function applyDiff(
  directory: string,
  diff: Uint8Array | string,
  options: PathOptions = {},
): Promise<FileChange[]> {
  const mails = parseDiff(diff, options);
  const planned = await planChanges(directory, mails).catch(async (error: unknown) => {
    if (!(error instanceof RejectedInput) || error.code !== "DIFF_TARGET_MISSING") throw error;
    const hint = await suggestPlace(directory, diff, options);
    throw hint === undefined ? error : new RejectedInput(error.code, `${error.message} ${hint}`);
  });
  await checkTree(directory, planned);
  await writeChanges(directory, planned);
  return fileChanges(mails.flat().map((file) => asApplied(file, planned)));
}

/** A plain diff may not say that it makes a file. */
function asApplied(file: FileDiff, planned: PlannedChanges): FileDiff {
  const is_new = file.may_be_missing && planned.get(file.after_path ?? "")?.is_new;
  return is_new ? { ...file, kind: "added" } : file;
}

/**
 * Checks the tree that planned changes would leave: nothing lies below a file or beyond a link,
 * no file takes a directory's place while something stays in it, and every link stays inside.
 *
 * @throws RejectedInput `DIFF_TARGET_EXISTS`, `DIFF_PATH_UNSAFE`
 */
async function checkTree(directory: string, planned: PlannedChanges): Promise<void> {
  const emptied = new Set<string>();
  for (const [path, state] of planned)
    if (state === null) for (const above of ancestorsOf(path)) emptied.add(above);
  for (const [path, state] of planned) {
    if (state === null) continue;
    for (const ancestor of ancestorsOf(path)) await checkAncestor(directory, path, ancestor, planned);
    if ((await diskKind(directory, path)) === "directory")
      await checkEmptied(directory, path, planned, emptied);
  }
  await checkLinks(directory, planned);
}

async function checkAncestor(
  directory: string,
  path: string,
  ancestor: string,
  planned: PlannedChanges,
): Promise<void> {
  const state = planned.get(ancestor);
  if (state === null) return;
  const planned_kind = state?.mode === "120000" ? "link" : "file";
  const kind = state === undefined ? await diskKind(directory, ancestor) : planned_kind;
  if (kind === "link") throw pathUnsafe(path, `lies beyond the symbolic link ${JSON.stringify(ancestor)}`);
  if (kind === "file") throw targetBlocked(path, `${JSON.stringify(ancestor)} is a file`);
}

/** The directories that deletions empty go with them; one that was empty before stays. */
async function checkEmptied(
  directory: string,
  path: string,
  planned: PlannedChanges,
  emptied: ReadonlySet<string>,
): Promise<void> {
  for (const entry of await readdir(join(directory, path), { recursive: true, withFileTypes: true })) {
    const below = relative(directory, join(entry.parentPath, entry.name)).split(sep).join("/");
    const goes = entry.isDirectory() ? emptied.has(below) : planned.get(below) === null;
    if (!goes) throw targetBlocked(path, `a directory with ${JSON.stringify(below)} in it is there`);
  }
  if (!emptied.has(path)) throw targetBlocked(path, "an empty directory is there");
}

/** Only a change of some link can make a link lead elsewhere than before. */
async function checkLinks(directory: string, planned: PlannedChanges): Promise<void> {
  let links_change = false;
  for (const [path, state] of planned) {
    links_change ||= state?.mode === "120000" || (await diskKind(directory, path)) === "link";
    if (state?.mode === "120000" && /(?:^|\/)\.gitmodules$/i.test(path)) {
      throw pathUnsafe(path, "is a file of git's own and may not be a symbolic link");
    }
  }
  if (!links_change) return;
  const links = new Map<string, string>();
  for (const entry of await readdir(directory, { recursive: true, withFileTypes: true })) {
    if (!entry.isSymbolicLink()) continue;
    const absolute = join(entry.parentPath, entry.name);
    links.set(relative(directory, absolute).split(sep).join("/"), await readlink(absolute));
  }
  for (const [path, state] of planned) {
    if (state?.mode !== "120000") links.delete(path);
    else links.set(path, linkTarget(path, state.bytes));
  }
  const escaping = findEscapingLink(links);
  if (escaping !== undefined) {
    throw pathUnsafe(escaping, `is a link to ${JSON.stringify(links.get(escaping))}, out of the tree`);
  }
}

function linkTarget(path: string, bytes: Buffer): string {
  if (bytes.length > 0 && bytes.length < 4096 && !bytes.includes(0)) return bytes.toString("utf8");
  throw pathUnsafe(path, "is a symbolic link whose target is empty, too long or has a NUL in it");
}

/**
 * Writes planned and checked changes: first everything old goes, with the directories that become
 * empty, as git does; then everything new is made afresh, so that no write follows a link.
 */
async function writeChanges(directory: string, planned: PlannedChanges): Promise<void> {
  for (const [path, state] of planned) {
    await rm(join(directory, path), { force: true, recursive: false }).catch(ignoreDirectory);
    if (state === null) await removeEmptyDirectories(directory, path);
  }
  for (const [path, state] of planned) {
    if (state === null) continue;
    const absolute = join(directory, path);
    await mkdir(dirname(absolute), { recursive: true });
    if (state.mode === "120000") await symlink(state.bytes, absolute);
    else {
      await writeFile(absolute, state.bytes, { flag: "wx" });
      await chmod(absolute, state.mode === "100755" ? 0o755 : 0o644);
    }
  }
}

/** A directory in the way of a new file is emptied, and so removed, by the deletions. */
function ignoreDirectory(error: NodeJS.ErrnoException): void {
  if (error.code !== "EISDIR" && error.code !== "ERR_FS_EISDIR" && error.code !== "ENOTDIR") throw error;
}

async function removeEmptyDirectories(directory: string, path: string): Promise<void> {
  for (const ancestor of ancestorsOf(path).reverse()) {
    try {
      await rmdir(join(directory, ancestor));
    } catch {
      return;
    }
  }
}

function targetBlocked(path: string, reason: string): RejectedInput {
  return new RejectedInput(
    "DIFF_TARGET_EXISTS",
    `The diff makes ${JSON.stringify(path)}, but ${reason}. Make the diff against the source that was submitted.`,
  );
}

const STRIP_MAX = 6;
/** Files of the diff that are looked for; more say nothing new. */
const PATHS_MAX = 200;
const DIRECTORIES_MAX = 1000;

/**
 * For a diff whose files are not in the tree: the `--strip` or `--directory` with which all of
 * them would be, as a sentence, or undefined when there is none.
 */
async function suggestPlace(
  directory: string,
  diff: Uint8Array | string,
  options: PathOptions,
): Promise<string | undefined> {
  const paths = new Set((await readTree(directory)).keys());
  if (options.directory === undefined) {
    const found = commonDirectory(changedPaths(diff, options) ?? [], paths);
    if (found !== undefined) {
      return `All files that it changes are there below ${JSON.stringify(found)}: add --directory ${found} (\`directory\` in the API).`;
    }
  }
  for (let strip = 0; strip <= STRIP_MAX; strip++) {
    if (strip === options.strip) continue; // what was tried
    const changed = changedPaths(diff, { ...options, strip });
    if (changed?.length && changed.every((path) => paths.has(path))) {
      return `With --strip ${strip} (\`strip\` in the API) all files that it changes are there.`;
    }
  }
  return undefined;
}

/** Paths that must be there before the diff; undefined when the diff cannot be read so. */
function changedPaths(diff: Uint8Array | string, options: PathOptions): string[] | undefined {
  try {
    const files = parseDiff(diff, options).flat();
    const needed = files.filter(({ before_path, may_be_missing }) => before_path !== null && !may_be_missing);
    return needed.slice(0, PATHS_MAX).map(({ before_path }) => before_path ?? "");
  } catch {
    return undefined;
  }
}

/** The one directory below which all `wanted` paths are. */
function commonDirectory(wanted: readonly string[], paths: ReadonlySet<string>): string | undefined {
  const [first] = wanted;
  if (first === undefined) return undefined;
  const ending = `/${first}`;
  const directories: string[] = [];
  for (const path of paths) {
    if (path.endsWith(ending) && directories.length < DIRECTORIES_MAX)
      directories.push(path.slice(0, -ending.length));
  }
  const fitting = directories.filter((below) => wanted.every((path) => paths.has(`${below}/${path}`)));
  return fitting.length === 1 ? fitting[0] : undefined;
}
