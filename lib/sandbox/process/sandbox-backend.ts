import type { Volume } from "#lib/sandbox/volume/volume.ts";
import type { NotEnforced } from "#schemas/artifacts/build-test-report.ts";
import type { SandboxProfile } from "#schemas/config/sandbox-limits.ts";

export interface LaunchOrder {
  command: string;
  /** Absolute path of the tree, as the worker sees it: the working directory, read-write. */
  tree: string;
  /** Absolute path of a directory for HOME and TMPDIR. Commands given the same one share both. */
  scratch: string;
  /** The volume that holds both. */
  volume: Volume;
  profile: SandboxProfile;
  /** Variables by which programs find the network they may use; the profile's own variables take precedence. */
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
  /**
   * Number of levels at the root of the process tree that belong to the backend, not to the command. The second is
   * inside the sandbox: only its one process is left out of the count of processes, and all else that it uses is counted.
   */
  own_process_levels: 0 | 2;
  /**
   * `NAME=value` in the environment of every process of the command, by which detached ones are found; null when the
   * kernel ends them all, even when the worker is killed.
   */
  marker: string | null;
  /** Bytes that the program reads from file descriptor 4. */
  input: Buffer | null;
  /** Paths, as the worker sees them, that the program finds open for reading from descriptor 5 on. */
  files: string[];
  /** Files (`path`, as the worker sees it) that cover hidden paths (`hides`): reading one is an attempt to read the other. */
  decoys: { path: string; hides: string }[];
}

/**
 * A way to isolate a command. `runCommand` measures and enforces the limits, in the same way for every backend.
 */
export interface SandboxBackend {
  readonly name: "bubblewrap" | "process";
  readonly isolation: "full" | "reduced";
  /** The restrictions of a profile that this backend does not enforce. */
  readonly not_enforced: NotEnforced[];
  /** Opens a volume of the profile's size. Throws SandboxUnavailable. */
  open(profile: SandboxProfile): Promise<Volume>;
  launch(order: LaunchOrder): Promise<Launch>;
}
