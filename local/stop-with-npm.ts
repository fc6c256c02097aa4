import { readFileSync } from "node:fs";

const CHECK_MS = 500;

/**
 * Calls `stop` once when npm started this process and is gone: npm passes on no SIGKILL, and what it
 * leaves would hold the port. Where /proc tells, this looks past the shell npm puts in between.
 */
export function stopWithNpm(stop: () => void): void {
  if (process.env.npm_lifecycle_event === undefined) return;
  const started_by = launchers();
  const watch = setInterval(() => {
    if (launchers() === started_by) return;
    clearInterval(watch);
    stop();
  }, CHECK_MS);
  watch.unref();
}

/** The parent, and its parent when the first is only npm's shell. */
function launchers(): string {
  const { ppid } = process;
  try {
    const stat = readFileSync(`/proc/${ppid}/stat`, "utf8"); // pid (name) state parent …
    const name_end = stat.lastIndexOf(")");
    const is_npm = stat.slice(stat.indexOf("(") + 1, name_end).startsWith("npm");
    return is_npm ? `${ppid}` : `${ppid} ${stat.slice(name_end + 2).split(" ")[1]}`;
  } catch {
    return `${ppid}`;
  }
}
