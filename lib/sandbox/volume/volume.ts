import { mkdir, mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { removeTree } from "#lib/platform/processes/remove-tree.ts";
import { runProgram } from "#lib/platform/processes/spawn-program.ts";
import { DIRECTORY_PREFIX, workerMark } from "#lib/platform/processes/worker-mark.ts";
import { holdPipes, type OutputPipes, PIPE_NAMES } from "#lib/sandbox/volume/output-pipes.ts";

export interface DiskUsage {
  /** Bytes in files, as the file system counts them. */
  bytes: number;
  /** Number of files, directories and links, without those of the sandbox itself. */
  inodes: number;
}

/** Holds the tree, the home and the temporary files of one job, from its first command to its last. */
export interface Volume {
  /** Absolute paths as the worker sees them; links below them are untrusted once a command has run. */
  tree: string;
  scratch: string;
  /** The kernel's count of what is in use now; null without one: then every file must be measured. */
  usage(): DiskUsage | null;
  /** Paths of the user and mount namespaces in which the volume is mounted, and its mount point; null without them. */
  namespace: { user: string; mount: string; mounted_at: string } | null;
  /** The pipes that its commands print to. */
  pipes: OutputPipes;
  /** Removes the volume with its content. */
  close(): Promise<void>;
}

/** The command's own directories in a volume's scratch directory. */
export function scratchDirectories(scratch: string): {
  home: string;
  temporary: string;
  shared_memory: string;
} {
  return {
    home: join(scratch, "home"),
    temporary: join(scratch, "tmp"),
    shared_memory: join(scratch, "shm"),
  };
}

/** Opens a volume that is a directory below the temporary directory of the machine. The kernel does not count its use. */
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
