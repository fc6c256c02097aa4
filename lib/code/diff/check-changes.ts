import { readdir, readlink } from "node:fs/promises";
import { join, relative, sep } from "node:path";
import { pathUnsafe } from "#lib/code/diff/file-diff.ts";
import { diskKind } from "#lib/code/diff/file-state.ts";
import type { PlannedChanges } from "#lib/code/diff/plan-changes.ts";
import { findEscapingLink } from "#lib/code/tree/tree-link.ts";
import { ancestorsOf } from "#lib/code/tree/tree-path.ts";
import { RejectedInput } from "#lib/platform/errors/fault.ts";

/**
 * Checks the tree that planned changes would leave: nothing lies below a file or beyond a link,
 * no file takes a directory's place while something stays in it, and every link stays inside.
 *
 * @throws RejectedInput `DIFF_TARGET_EXISTS`, `DIFF_PATH_UNSAFE`
 */
export async function checkChanges(directory: string, planned: PlannedChanges): Promise<void> {
  for (const [path, state] of planned) {
    if (state === null) continue;
    for (const ancestor of ancestorsOf(path)) await checkAncestor(directory, path, ancestor, planned);
    if ((await diskKind(directory, path)) === "directory") await checkEmptied(directory, path, planned);
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
  const kind = state === undefined ? await diskKind(directory, ancestor) : kindOf(state.mode);
  if (kind === "link") throw pathUnsafe(path, `lies beyond the symbolic link ${JSON.stringify(ancestor)}`);
  if (kind === "file") throw targetExists(path, `${JSON.stringify(ancestor)} is a file`);
}

async function checkEmptied(directory: string, path: string, planned: PlannedChanges): Promise<void> {
  const root = join(directory, path);
  for (const entry of await readdir(root, { recursive: true, withFileTypes: true })) {
    const below = relative(directory, join(entry.parentPath, entry.name)).split(sep).join("/");
    if (!entry.isDirectory() && planned.get(below) !== null) {
      throw targetExists(path, `a directory with ${JSON.stringify(below)} in it is there`);
    }
    // The directories that deletions empty go with them; one that was empty before stays.
    if (entry.isDirectory() && !hasDeletionBelow(below, planned)) {
      throw targetExists(path, `a directory with ${JSON.stringify(below)} in it is there`);
    }
  }
  if (!hasDeletionBelow(path, planned)) throw targetExists(path, "an empty directory is there");
}

function hasDeletionBelow(path: string, planned: PlannedChanges): boolean {
  for (const [deleted, state] of planned) if (state === null && deleted.startsWith(`${path}/`)) return true;
  return false;
}

/** Only a change of some link can make a link lead elsewhere than before. */
async function checkLinks(directory: string, planned: PlannedChanges): Promise<void> {
  let links_change = false;
  for (const [path, state] of planned) {
    links_change ||= state?.mode === "120000" || (await diskKind(directory, path)) === "link";
  }
  if (!links_change) return;
  const links = new Map<string, string>();
  for (const entry of await readdir(directory, { recursive: true, withFileTypes: true })) {
    if (!entry.isSymbolicLink()) continue;
    const absolute = join(entry.parentPath, entry.name);
    links.set(relative(directory, absolute).split(sep).join("/"), await readlink(absolute));
  }
  for (const [path, state] of planned) {
    if (state?.mode === "120000") links.set(path, state.bytes.toString("utf8"));
    else links.delete(path);
  }
  const escaping = findEscapingLink(links);
  if (escaping !== undefined) {
    throw pathUnsafe(escaping, `is a link to ${JSON.stringify(links.get(escaping))}, out of the tree`);
  }
}

function kindOf(mode: string): "link" | "file" {
  return mode === "120000" ? "link" : "file";
}

function targetExists(path: string, reason: string): RejectedInput {
  return new RejectedInput(
    "DIFF_TARGET_EXISTS",
    `The diff makes ${JSON.stringify(path)}, but ${reason}. Make the diff against the source that was submitted.`,
  );
}
