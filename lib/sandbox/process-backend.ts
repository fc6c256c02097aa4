import { randomBytes } from "node:crypto";
import { mkdir } from "node:fs/promises";
import { delimiter, join } from "node:path";
import { commandScript } from "#lib/sandbox/command-script.ts";
import type { SandboxBackend } from "#lib/sandbox/sandbox-backend.ts";
import { toolPath } from "#lib/sandbox/tool-path.ts";

/**
 * A plain process in a session of its own: limits hold and nothing of it stays behind, but it sees
 * the worker's files, network and processes, so it calls itself reduced. A process that leaves its
 * session, its parent and its environment all within one sample can hide from it.
 */
export const processBackend: SandboxBackend = {
  name: "process",
  isolation: "reduced",
  async launch({ command, tree, scratch, profile }) {
    const home = join(scratch, "home");
    const temporary = join(scratch, "tmp");
    await Promise.all([home, temporary].map((directory) => mkdir(directory, { recursive: true })));
    const [file, ...args] = commandScript(command, profile);
    const run_id = randomBytes(16).toString("hex");
    return {
      file,
      args,
      environment: {
        ...profile.environment,
        PATH: (await toolPath(profile.environment.PATH)).join(delimiter),
        HOME: home,
        TMPDIR: temporary,
        SANDBOX_RUN_ID: run_id,
      },
      cwd: tree,
      tree_inside: tree,
      own_generations: 0,
      marker: `SANDBOX_RUN_ID=${run_id}`,
    };
  },
};
