import { join } from "node:path";
import type { OutputPipes } from "#lib/sandbox/output-pipes.ts";

export interface DiskUsage {
  /** Bytes in files, as the file system counts them. */
  bytes: number;
  /** Files, directories and links, those of the sandbox itself left out. */
  inodes: number;
}

/** Where the tree, the home and the temporary files of one job live, from its first command to its last. */
export interface Volume {
  /** Absolute paths as the worker sees them; links below them are untrusted once a command has run. */
  tree: string;
  scratch: string;
  /** What is in use now, when the kernel keeps count of it; null when only a walk can tell. */
  usage(): DiskUsage | null;
  /** Paths of the user and mount namespaces where the volume is mounted, and the place; null without one. */
  namespace: { user: string; mount: string; mounted_at: string } | null;
  /** Where its commands print to. */
  pipes: OutputPipes;
  /** Removes all that is in it. */
  close(): Promise<void>;
}

/** Where in a volume's scratch directory the command's own directories are. */
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
