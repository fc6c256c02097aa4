import type { Volume } from "#lib/sandbox/volume/volume.ts";
import type { NotEnforced } from "#schemas/artifacts/build-test-report.ts";
import type { SandboxProfile } from "#schemas/config/sandbox-limits.ts";

export interface LaunchOrder {
  command: string;
  /** Absolute path of the tree, as the worker sees it: the working directory, read-write. */
  tree: string;
  /** Absolute path of a directory for HOME and TMPDIR. Commands given the same one share both. */
  scratch: string;
  /** What holds both. */
  volume: Volume;
  profile: SandboxProfile;
  /** How programs find the network they may use; the profile's own variables win. */
  network_environment?: Record<string, string>;
}

export const FIRST_FILE_DESCRIPTOR = 5;

/** How to start one command. */
export interface Launch {
  file: string;
  args: string[];
  environment: Record<string, string>;
  cwd: string;
  /** The tree's path as the command sees it. */
  tree_inside: string;
  /** Generations at the root of the process tree that are the backend's, not the command's. */
  own_process_levels: 0 | 2;
  /**
   * What all the command's processes carry in their environment, so that a detached one is found;
   * null where the backend ends them all by itself, even when the worker is killed.
   */
  marker: string | null;
  /** What the program reads from file descriptor 4. */
  input: Buffer | null;
  /** Paths, as the worker sees them, that the program finds open for reading from descriptor 5 on. */
  files: string[];
  /** Paths, as the worker sees them, whose reading is proof that a hidden path was read. */
  decoys: { path: string; hides: string }[];
}

/**
 * A way to isolate a command. Limits are not its concern: `runCommand` measures and enforces them
 * in the same way over every backend.
 */
export interface SandboxBackend {
  readonly name: "bubblewrap" | "process";
  readonly isolation: "full" | "reduced";
  /** What a profile asks and this backend does not do. */
  readonly not_enforced: NotEnforced[];
  /** A place of the profile's size. Throws SandboxUnavailable. */
  open(profile: SandboxProfile): Promise<Volume>;
  launch(order: LaunchOrder): Promise<Launch>;
}
