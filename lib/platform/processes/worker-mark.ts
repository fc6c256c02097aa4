import { readFileSync, readlinkSync } from "node:fs";

/** How a sandbox's directories, other temporary directories, and environments name the worker they belong to. */
export const DIRECTORY_PREFIX = "sandbox-";
export const WORK_PREFIX = "agents-";
export const MARKER_NAME = "SANDBOX_RUN_ID";

const MARK = /^(\d+)\.(\d+)\.(\d+)(?=-)/;

/** This process for good: its pid namespace, its pid, and when that pid was started. */
export function workerMark(): string {
  return `${pidNamespace()}.${process.pid}.${readState(process.pid)?.started ?? 0}`;
}

/** Whether a name that begins with a worker's mark belongs to one of this machine that is dead. */
export function isAbandoned(marked: string): boolean {
  const [, namespace, pid, started] = MARK.exec(marked) ?? [];
  if (namespace !== pidNamespace() || namespace === "0") return false;
  const worker = readState(Number(pid));
  return worker === undefined || worker.started !== started || worker.state === "Z";
}

let own_namespace: string | undefined;

/** Pids of another container mean nothing here. "0" on a system without /proc. */
function pidNamespace(): string {
  try {
    own_namespace ??= /\d+/.exec(readlinkSync("/proc/self/ns/pid"))?.[0];
  } catch {}
  return own_namespace ?? "0";
}

/**
 * The 3rd and 22nd field, after a name that may hold anything:
 * https://man7.org/linux/man-pages/man5/proc_pid_stat.5.html
 */
function readState(pid: number): { state: string; started: string } | undefined {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, "utf8");
    const fields = text.slice(text.lastIndexOf(")") + 2).split(" ");
    return { state: fields[0] ?? "", started: fields[19] ?? "0" };
  } catch {
    return undefined;
  }
}
