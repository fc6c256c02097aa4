import { chmod, mkdir, symlink, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { readTree } from "#lib/code/diff/read-tree.ts";

export interface TreeEntry {
  mode: "100644" | "100755" | "120000";
  bytes: Buffer;
}

/** A tree in memory: path → file or link. */
export type FileTree = Map<string, TreeEntry>;

export const file = (content: string | Buffer, mode: TreeEntry["mode"] = "100644"): TreeEntry => ({
  mode,
  bytes: typeof content === "string" ? Buffer.from(content) : content,
});

export async function writeFileTree(directory: string, tree: FileTree): Promise<void> {
  await mkdir(directory, { recursive: true });
  for (const [path, { mode, bytes }] of tree) {
    const absolute = join(directory, path);
    await mkdir(dirname(absolute), { recursive: true });
    if (mode === "120000") await symlink(bytes, absolute);
    else {
      await writeFile(absolute, bytes);
      await chmod(absolute, mode === "100755" ? 0o755 : 0o644);
    }
  }
}

export async function readFileTree(directory: string): Promise<FileTree> {
  const tree: FileTree = new Map();
  for (const [path, entry] of await readTree(directory))
    tree.set(path, { mode: entry.mode, bytes: entry.read() });
  return tree;
}

/** The first paths at which two trees differ. */
export function differences(left: FileTree, right: FileTree): string[] {
  const paths = new Set([...left.keys(), ...right.keys()]);
  return [...paths].sort().filter((path) => {
    const [one, other] = [left.get(path), right.get(path)];
    return one?.mode !== other?.mode || !one || !other || !one.bytes.equals(other.bytes);
  });
}
