import { lstatSync, readFileSync, readlinkSync } from "node:fs";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import type { FileMode } from "#lib/code/diff/file-diff.ts";
import { TerminalFault } from "#lib/platform/errors/fault.ts";

/** A file or link of a tree. Its bytes are read when asked for and not kept. */
export interface TreeFile {
  mode: FileMode;
  bytes_count: number;
  read(): Buffer;
}

/** A tree by path, as `createDiff` compares it. */
export type Tree = ReadonlyMap<string, TreeFile>;

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
    const target = Buffer.from(readlinkSync(absolute));
    return { mode: "120000", bytes_count: target.length, read: () => target };
  }
  if (!stats.isFile()) {
    throw new TerminalFault("TREE_ENTRY_UNSUPPORTED", `${path} is neither a file, a directory nor a link.`);
  }
  return {
    mode: (stats.mode & 0o100) === 0 ? "100644" : "100755",
    bytes_count: stats.size,
    read: () => readFileSync(absolute),
  };
}
