import { mkdir, mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { removeTree } from "#lib/sandbox/remove-tree.ts";

export interface Workspace {
  /** Where the source goes. */
  tree: string;
  /** Home and temporary files of the commands, kept from one to the next. */
  scratch: string;
}

/** Lends empty directories for one job and removes them afterwards, however it ends. */
export async function withWorkspace<Result>(use: (workspace: Workspace) => Promise<Result>): Promise<Result> {
  const root = await mkdtemp(join(tmpdir(), "sandbox-"));
  try {
    const workspace = { tree: join(root, "tree"), scratch: join(root, "scratch") };
    await Promise.all(Object.values(workspace).map((directory) => mkdir(directory)));
    return await use(workspace);
  } finally {
    await removeTree(root);
  }
}
