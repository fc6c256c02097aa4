import { readlinkSync } from "node:fs";
import { readProcess } from "#lib/sandbox/process-table.ts";

/** How directories and environments of a running sandbox name the worker they belong to. */
export const DIRECTORY_PREFIX = "sandbox-";
export const MARKER_NAME = "SANDBOX_RUN_ID";

const MARK = /^(\d+)\.(\d+)\.(\d+)(?=-)/;

/** This process for good: its pid namespace, its pid, and when that pid was started. */
export function workerMark(): string {
  return `${pidNamespace()}.${process.pid}.${readProcess(process.pid)?.started ?? 0}`;
}

/** Whether a name that begins with a worker's mark belongs to one of this machine that is dead. */
export function isAbandoned(marked: string): boolean {
  const [, namespace, pid, started] = MARK.exec(marked) ?? [];
  if (namespace !== pidNamespace() || namespace === "0") return false;
  const worker = readProcess(Number(pid));
  return worker === null || String(worker.started) !== started || worker.state === "Z";
}

let own_namespace: string | undefined;

/** Pids of another container mean nothing here. "0" on a system without /proc. */
function pidNamespace(): string {
  try {
    own_namespace ??= /\d+/.exec(readlinkSync("/proc/self/ns/pid"))?.[0];
  } catch {}
  return own_namespace ?? "0";
}
