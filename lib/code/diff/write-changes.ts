import { chmod, mkdir, rm, rmdir, symlink, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { PlannedChanges } from "#lib/code/diff/plan-changes.ts";
import { ancestorsOf } from "#lib/code/tree/tree-path.ts";

/**
 * Writes planned and checked changes: first everything old goes, with the directories that become
 * empty, as git does; then everything new is made afresh, so that no write follows a link.
 */
export async function writeChanges(directory: string, planned: PlannedChanges): Promise<void> {
  for (const [path, state] of planned) {
    await rm(join(directory, path), { force: true, recursive: false }).catch(ignoreDirectory);
    if (state === null) await removeEmptyDirectories(directory, path);
  }
  for (const [path, state] of planned) {
    if (state === null) continue;
    const absolute = join(directory, path);
    await mkdir(dirname(absolute), { recursive: true });
    if (state.mode === "120000") await symlink(state.bytes.toString("utf8"), absolute);
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
