import { readdirSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { listProcesses, readEnvironmentVariable } from "#lib/sandbox/process-table.ts";
import { removeTree } from "#lib/sandbox/remove-tree.ts";
import { DIRECTORY_PREFIX, isAbandoned, MARKER_NAME } from "#lib/sandbox/worker-mark.ts";

const ROUNDS_MAX = 20;

/**
 * Ends what sandboxes of dead workers left running on this machine, and removes their directories.
 * Both end with their worker by themselves; this is for a worker killed in the moment between.
 */
export function sweepAbandoned(): void {
  for (let round = 0; round < ROUNDS_MAX && killAbandoned(); round++);
  for (const name of readdirSync(tmpdir())) {
    if (!name.startsWith(DIRECTORY_PREFIX) || !isAbandoned(name.slice(DIRECTORY_PREFIX.length))) continue;
    removeTree(join(tmpdir(), name)).catch(() => {}); // the next sweep comes by again
  }
}

function killAbandoned(): boolean {
  let found = false;
  for (const pid of listProcesses() ?? []) {
    const mark = readEnvironmentVariable(pid, MARKER_NAME);
    if (mark === null || !isAbandoned(mark)) continue;
    try {
      process.kill(pid, "SIGKILL");
      found = true;
    } catch {
      // Gone already.
    }
  }
  return found;
}
