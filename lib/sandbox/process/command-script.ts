import { readdirSync, statSync } from "node:fs";
import { ceilingOf } from "#lib/sandbox/process/process-ceiling.ts";
import { descriptorRoom, listProcesses } from "#lib/sandbox/process/process-table.ts";
import type { SandboxProfile } from "#schemas/config/sandbox-limits.ts";

/** Above the limit, so that the accountant names the limit before the kernel ends the process. */
const CPU_BACKSTOP_SECONDS = 2;
/** The unit of `ulimit -f` (POSIX). */
const BLOCK_BYTES = 512;
const OPEN_FILES_SLACK = 64;

/**
 * The script writes a byte to file descriptor 3 when the sandbox is ready, waits there for a line that says that the
 * worker is ready to measure, and closes the descriptor before the command runs.
 * RLIMIT_CPU counts each process alone: a backstop for a worker that has too little CPU time to measure.
 */
const SCRIPT = `printf . >&3; read -r _ <&3; exec 3>&-; ulimit -c 0; ulimit -t "$1"
ulimit -f "$4" 2>/dev/null; ulimit -n "$5" 2>/dev/null
[ -z "$2" ] || ulimit -p "$2" 2>/dev/null || ulimit -u "$2" 2>/dev/null
exec /bin/sh -c "$3" /bin/sh`;

/**
 * The program and arguments that run a shell command line under resource limits of the kernel. The one on file sizes
 * holds the profile's limit; the others are backstops.
 */
export function commandScript(command: string, profile: SandboxProfile): [string, ...string[]] {
  const cpu_seconds = Math.ceil(profile.cpu_seconds) + CPU_BACKSTOP_SECONDS;
  return [
    "/bin/sh",
    "-c",
    SCRIPT,
    "/bin/sh",
    String(cpu_seconds),
    processesOfUser(profile),
    command,
    fileBlocks(profile),
    openFiles(profile),
  ];
}

/** RLIMIT_FSIZE also refuses truncate(2) and fallocate(2). Up to a block beyond the limit, by which a file that is left is seen to exceed it. */
function fileBlocks({ file_bytes_max }: SandboxProfile): string {
  return String(Math.floor(file_bytes_max / BLOCK_BYTES) + 1);
}

/** Above the room in a process's table of descriptors by which the accountant tells that the limit was exceeded. */
function openFiles({ open_files_max }: SandboxProfile): string {
  return String(descriptorRoom(open_files_max) + OPEN_FILES_SLACK);
}

/** RLIMIT_NPROC counts all of a user's tasks, so those already there are added; root has no such limit. */
function processesOfUser({ processes_max }: SandboxProfile): string {
  const user = process.getuid?.() ?? 0;
  if (user === 0) return "";
  const own = (listProcesses() ?? []).reduce((tasks, pid) => tasks + tasksOf(pid, user), 0);
  return String(own + ceilingOf(processes_max));
}

function tasksOf(pid: number, user: number): number {
  try {
    return statSync(`/proc/${pid}`).uid === user ? readdirSync(`/proc/${pid}/task`).length : 0;
  } catch {
    return 0; // the process has ended
  }
}
