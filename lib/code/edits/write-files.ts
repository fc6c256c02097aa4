import { chmod, copyFile, mkdir, mkdtemp, rename, rm, rmdir, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { bytesOf, type EditedTree } from "#lib/code/edits/edited-tree.ts";
import { ancestorsOf } from "#lib/code/tree/tree-path.ts";

type Undo = () => Promise<unknown>;

/**
 * Writes the edited files of a tree. Each is written beside the tree first and then moved into its place, so
 * that no file is ever there in part. When one cannot be written, the tree is put back as it was.
 */
export async function writeFiles({ directory, edited }: EditedTree): Promise<void> {
  if (edited.size === 0) return;
  const stage = await mkdtemp(join(dirname(directory), ".edits-"));
  const undone: Undo[] = [];
  try {
    const staged = await stageFiles(stage, edited);
    for (const [path, file] of edited) {
      if (file === null) await removeFile(directory, path, stage, undone);
    }
    for (const [path, at] of staged) await placeFile(directory, path, at, undone);
  } catch (error) {
    for (const undo of undone.reverse()) await undo();
    throw error;
  } finally {
    await rm(stage, { recursive: true, force: true });
  }
}

async function stageFiles(stage: string, edited: EditedTree["edited"]): Promise<Map<string, string>> {
  const staged = new Map<string, string>();
  for (const [path, file] of edited) {
    if (file === null) continue;
    const at = join(stage, `new-${staged.size}`);
    await writeFile(at, bytesOf(file), { flag: "wx" });
    await chmod(at, file.mode === "100755" ? 0o755 : 0o644);
    staged.set(path, at);
  }
  return staged;
}

async function removeFile(directory: string, path: string, stage: string, undone: Undo[]): Promise<void> {
  const absolute = join(directory, path);
  const kept = join(stage, `old-${undone.length}`);
  const is_there = await copyIfThere(absolute, kept);
  if (!is_there) return; // made and deleted again by the same edits
  await rm(absolute);
  undone.push(async () => {
    await mkdir(dirname(absolute), { recursive: true });
    await rename(kept, absolute);
  });
  await removeEmptyDirectories(directory, path);
}

async function placeFile(directory: string, path: string, staged: string, undone: Undo[]): Promise<void> {
  const absolute = join(directory, path);
  for (const above of ancestorsOf(path)) {
    const at = join(directory, above);
    const made = await mkdir(at).then(
      () => true,
      (error: NodeJS.ErrnoException) => {
        if (error.code === "EEXIST") return false;
        throw error;
      },
    );
    if (made) undone.push(() => rmdir(at));
  }
  const kept = `${staged}-old`;
  const is_there = await copyIfThere(absolute, kept);
  await rename(staged, absolute);
  undone.push(() => (is_there ? rename(kept, absolute) : rm(absolute)));
}

async function copyIfThere(from: string, to: string): Promise<boolean> {
  try {
    await copyFile(from, to);
    return true;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "ENOENT" || code === "ENOTDIR") return false;
    throw error;
  }
}

async function removeEmptyDirectories(directory: string, path: string): Promise<void> {
  for (const above of ancestorsOf(path).reverse()) {
    try {
      await rmdir(join(directory, above));
    } catch {
      return;
    }
  }
}
