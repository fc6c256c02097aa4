import { readdirSync, statSync } from "node:fs";
import { ceilingOf } from "#lib/sandbox/process/process-ceiling.ts";
import { listProcesses } from "#lib/sandbox/process/process-table.ts";
import type { Volume } from "#lib/sandbox/volume/volume.ts";
import type { SandboxProfile } from "#schemas/config/sandbox-limits.ts";

/** Two seconds above the limit, so that the accountant names the limit before the kernel kills. */
const CPU_BACKSTOP_SECONDS = 2;
/** Filling the room takes longer than the accountant takes to look: what the kernel refuses, a program may hide. */
const FILE_SLACK_BYTES = 128 * 1024 * 1024;
const OPEN_FILES_FACTOR = 4;
const OPEN_FILES_SLACK = 65_536;

/**
 * A byte on file descriptor 3 proves that the sandbox stands, and a line from there says that the
 * worker has its instruments ready; it is closed before the command runs.
 * RLIMIT_CPU counts each process by itself: a backstop for a worker too starved to measure.
 */
const SCRIPT = `printf . >&3; read -r _ <&3; exec 3>&-; ulimit -c 0; ulimit -t "$1"
ulimit -f "$4" 2>/dev/null; ulimit -n "$5" 2>/dev/null
[ -z "$2" ] || ulimit -p "$2" 2>/dev/null || ulimit -u "$2" 2>/dev/null
exec /bin/sh -c "$3" /bin/sh`;

/**
 * The program and arguments that run a shell command line under its backstops. On a volume that has a size the kernel
 * refuses no file for its own size: the accountant sees it, and the size of the volume bounds it.
 */
export function commandScript(
  command: string,
  profile: SandboxProfile,
  volume: Pick<Volume, "namespace">,
): [string, ...string[]] {
  const cpu_seconds = Math.ceil(profile.cpu_seconds) + CPU_BACKSTOP_SECONDS;
  return [
    "/bin/sh",
    "-c",
    SCRIPT,
    "/bin/sh",
    String(cpu_seconds),
    processesOfUser(profile),
    command,
    volume.namespace ? "unlimited" : fileBlocks(profile),
    openFiles(profile),
  ];
}

/** In blocks of 512 bytes (POSIX, `ulimit`), with room for the survey to see that a file is too large. */
function fileBlocks({ file_bytes_max }: SandboxProfile): string {
  return String(Math.ceil((file_bytes_max + FILE_SLACK_BYTES) / 512));
}

/** Well above the limit: the accountant has seen the limit passed by then and names it. */
function openFiles({ open_files_max }: SandboxProfile): string {
  return String(open_files_max * OPEN_FILES_FACTOR + OPEN_FILES_SLACK);
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
    return 0; // it has ended
  }
}
