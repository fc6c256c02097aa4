import { performance } from "node:perf_hooks";
import { sweepAbandonedDirectories } from "#lib/platform/processes/abandoned-directories.ts";
import { isAbandoned, MARKER_NAME } from "#lib/platform/processes/worker-mark.ts";
import { listProcesses, readEnvironmentVariable } from "#lib/sandbox/process/process-table.ts";

const ROUNDS_MAX = 20;
/** Reading every process of the machine costs milliseconds. */
const PAUSE_MS = 2000;

let swept_ms = Number.NEGATIVE_INFINITY;

/**
 * Kills the processes that sandboxes of ended workers left on this machine, and removes their directories. Usually both
 * end with their worker; this is for a worker that was killed before its watchdog started.
 * Does nothing when this process has swept less than two seconds ago.
 */
export function sweepAbandoned(): void {
  if (performance.now() - swept_ms < PAUSE_MS) return;
  swept_ms = performance.now();
  for (let round = 0; round < ROUNDS_MAX && killAbandoned(); round++);
  void sweepAbandonedDirectories(); // continues in the background
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
      // The process has ended.
    }
  }
  return found;
}
