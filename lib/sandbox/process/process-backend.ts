import { randomBytes } from "node:crypto";
import { delimiter } from "node:path";
import { MARKER_NAME, workerMark } from "#lib/platform/processes/worker-mark.ts";
import { commandScript } from "#lib/sandbox/process/command-script.ts";
import type { SandboxBackend } from "#lib/sandbox/process/sandbox-backend.ts";
import { toolPath } from "#lib/sandbox/process/tool-path.ts";
import { openHostVolume, scratchDirectories } from "#lib/sandbox/volume/volume.ts";

/**
 * Runs a command as a plain process in a session of its own. Limits are enforced and no process outlives the command,
 * but the command sees the worker's files, network and processes: its isolation is `reduced`. A process that leaves its
 * session, its parent and its environment between two samples is not found.
 */
export const processBackend: SandboxBackend = {
  name: "process",
  isolation: "reduced",
  not_enforced: ["network", "filesystem", "processes", "system calls"],
  open: openHostVolume,
  async launch({ command, tree, scratch, profile, network_environment }) {
    const { home, temporary } = scratchDirectories(scratch);
    const [file, ...args] = commandScript(command, profile);
    const run_id = `${workerMark()}-${randomBytes(16).toString("hex")}`;
    return {
      file,
      args,
      environment: {
        ...network_environment,
        ...profile.environment,
        PATH: (await toolPath(profile.environment.PATH)).join(delimiter),
        HOME: home,
        TMPDIR: temporary,
        [MARKER_NAME]: run_id,
      },
      cwd: tree,
      tree_inside: tree,
      own_process_levels: 0,
      marker: `${MARKER_NAME}=${run_id}`,
      input: null,
      files: [],
      decoys: [],
    };
  },
};
