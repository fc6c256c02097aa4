import type { SandboxProfile } from "#schemas/config/sandbox-limits.ts";

/** Two seconds above the limit, so that the accountant names the limit before the kernel kills. */
const CPU_BACKSTOP_SECONDS = 2;

/**
 * A byte on file descriptor 3 proves that the sandbox stands; it is closed before the command runs.
 * RLIMIT_CPU counts each process by itself: a backstop for a worker too starved to measure.
 */
const SCRIPT = 'printf . >&3; exec 3>&-; ulimit -c 0; ulimit -t "$1"; shift; exec /bin/sh -c "$1" /bin/sh';

/** The program and arguments that run a shell command line under its backstops. */
export function commandScript(command: string, profile: SandboxProfile): [string, ...string[]] {
  const cpu_seconds = Math.ceil(profile.cpu_seconds) + CPU_BACKSTOP_SECONDS;
  return ["/bin/sh", "-c", SCRIPT, "/bin/sh", String(cpu_seconds), command];
}
