import { spawnProgram } from "#lib/platform/processes/spawn-program.ts";

export interface Watchdog {
  /** Tells it the command's process group. */
  guard(group: number): void;
  /** The command has ended and been cleaned up after. */
  dismiss(): void;
}

/** End of file instead of a second line means that the worker has died. */
const SCRIPT = `
read -r group
read -r dismissed && exit 0
[ -n "$group" ] && kill -KILL -- "-$group"
round=0
while [ "$round" -lt 50 ]; do
  round=$((round + 1))
  found=$(grep -lF -- "$1" /proc/[0-9]*/environ)
  [ -n "$found" ] || break
  for file in $found; do
    file=\${file#/proc/}
    kill -KILL "\${file%/environ}"
  done
done
`;

/**
 * A shell that outlives the worker only to kill what carries `marker`. Node.js cannot ask the
 * kernel for this (PR_SET_PDEATHSIG), and `setpriv --pdeathsig` would end the first process only.
 */
export function startWatchdog(marker: string): Watchdog {
  const watchdog = spawnProgram("/bin/sh", ["-c", SCRIPT, "/bin/sh", marker], {
    detached: true,
    env: { PATH: "/usr/local/bin:/usr/bin:/bin" },
    stdio: ["pipe", "ignore", "ignore"],
  });
  watchdog.on("error", () => {});
  watchdog.stdin?.on("error", () => {});
  watchdog.unref();
  return {
    guard: (group) => watchdog.stdin?.write(`${group}\n`),
    dismiss: () => watchdog.stdin?.end("dismissed\n"),
  };
}
