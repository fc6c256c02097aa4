import { lstat, readFile, readlink } from "node:fs/promises";
import { join } from "node:path";
import { type FileMode, pathUnsafe } from "#lib/code/diff/file-diff.ts";
import { ancestorsOf } from "#lib/code/tree/tree-path.ts";

/** A file or link as a diff sees it; of a link, `bytes` is the target. */
export interface FileState {
  mode: FileMode;
  bytes: Buffer;
}

export type DiskKind = "missing" | "file" | "directory" | "link";

/** @throws RejectedInput `DIFF_PATH_UNSAFE` for a device, a socket or a pipe */
export async function diskKind(directory: string, path: string): Promise<DiskKind> {
  const stats = await lstat(join(directory, path)).catch((error) => {
    if (error.code === "ENOENT" || error.code === "ENOTDIR") return undefined;
    throw error;
  });
  if (stats === undefined) return "missing";
  if (stats.isSymbolicLink()) return "link";
  if (stats.isDirectory()) return "directory";
  if (stats.isFile()) return "file";
  throw pathUnsafe(path, "is neither a file nor a directory in the tree");
}

/**
 * The file or link at `path` on disk, or undefined when there is none.
 *
 * @throws RejectedInput `DIFF_PATH_UNSAFE` when the way there goes through a symbolic link
 */
export async function readFileState(directory: string, path: string): Promise<FileState | undefined> {
  for (const ancestor of ancestorsOf(path)) {
    const kind = await diskKind(directory, ancestor);
    if (kind === "link") throw pathUnsafe(path, `lies beyond the symbolic link ${JSON.stringify(ancestor)}`);
    if (kind !== "directory") return undefined;
  }
  const kind = await diskKind(directory, path);
  const absolute = join(directory, path);
  if (kind === "link") return { mode: "120000", bytes: Buffer.from(await readlink(absolute)) };
  if (kind !== "file") return undefined;
  const executable = ((await lstat(absolute)).mode & 0o100) !== 0;
  return { mode: executable ? "100755" : "100644", bytes: await readFile(absolute) };
}
