import { mkdir, mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { removeTree } from "#lib/platform/processes/remove-tree.ts";
import { runProgram } from "#lib/platform/processes/spawn-program.ts";
import { DIRECTORY_PREFIX, workerMark } from "#lib/platform/processes/worker-mark.ts";
import { holdPipes, PIPE_NAMES } from "#lib/sandbox/output-pipes.ts";
import { scratchDirectories, type Volume } from "#lib/sandbox/volume.ts";

/** A directory of the machine's temporary ones. Nothing but a walk tells how much is in it. */
export async function openHostVolume(): Promise<Volume> {
  const root = await mkdtemp(join(tmpdir(), `${DIRECTORY_PREFIX}${workerMark()}-`));
  const volume = { tree: join(root, "tree"), scratch: join(root, "scratch") };
  const directories = [volume.tree, ...Object.values(scratchDirectories(volume.scratch))];
  const fifos = runProgram("mkfifo", ["-m", "600", ...PIPE_NAMES.map((name) => join(root, name))]);
  await Promise.all([fifos, ...directories.map((directory) => mkdir(directory, { recursive: true }))]);
  const pipes = holdPipes(root);
  const close = () => {
    pipes.close();
    return removeTree(root);
  };
  return { ...volume, usage: () => null, namespace: null, pipes, close };
}
