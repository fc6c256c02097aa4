import { lstatSync, readFileSync, readlinkSync } from "node:fs";
import { lstat, readdir, readFile, readlink } from "node:fs/promises";
import { join } from "node:path";
import { type FileMode, pathUnsafe } from "#lib/code/diff/file-diff.ts";
import { ancestorsOf } from "#lib/code/tree/tree-path.ts";
import { TerminalFault } from "#lib/platform/errors/fault.ts";

/** A file or link of a tree. Its bytes are read when asked for and not kept. */
export interface TreeFile {
  mode: FileMode;
  bytes_count: number;
  read(): Buffer;
}

/** A tree by path, as `createDiff` compares it. */
export type Tree = ReadonlyMap<string, TreeFile>;

/** A file or link as a diff changes it; of a link, `bytes` is the target. */
export interface FileState {
  mode: FileMode;
  bytes: Buffer;
  /** The diff made the file, which it did not say by itself. */
  is_new?: boolean;
}

export type DiskKind = "missing" | "file" | "directory" | "link";

/**
 * All files and links below a directory, without `.git` at any level. Empty directories are no
 * part of it: a diff cannot name them.
 *
 * @throws TerminalFault `TREE_ENTRY_UNSUPPORTED` for a device, a socket or a pipe
 */
export async function readTree(directory: string): Promise<Tree> {
  const tree = new Map<string, TreeFile>();
  const pending = [""];
  for (let below = pending.pop(); below !== undefined; below = pending.pop()) {
    for (const entry of await readdir(join(directory, below), { withFileTypes: true })) {
      if (entry.name.toLowerCase() === ".git") continue;
      const path = below === "" ? entry.name : `${below}/${entry.name}`;
      if (entry.isDirectory()) pending.push(path);
      else tree.set(path, treeFile(join(directory, path), path));
    }
  }
  return tree;
}

function treeFile(absolute: string, path: string): TreeFile {
  const stats = lstatSync(absolute);
  if (stats.isSymbolicLink()) {
    const target = readlinkSync(absolute, "buffer");
    return { mode: "120000", bytes_count: target.length, read: () => target };
  }
  if (!stats.isFile()) {
    throw new TerminalFault("TREE_ENTRY_UNSUPPORTED", `${path} is neither a file, a directory nor a link.`);
  }
  return { mode: fileMode(stats.mode), bytes_count: stats.size, read: () => readFileSync(absolute) };
}

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
  if (kind === "link") return { mode: "120000", bytes: await readlink(absolute, "buffer") };
  if (kind !== "file") return undefined;
  return { mode: fileMode((await lstat(absolute)).mode), bytes: await readFile(absolute) };
}

function fileMode(mode: number): FileMode {
  return (mode & 0o100) === 0 ? "100644" : "100755";
}
