import { randomBytes } from "node:crypto";
import {
  accessSync,
  constants,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmdirSync,
  writeFileSync,
} from "node:fs";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { isAbandoned, workerMark } from "#lib/platform/processes/worker-mark.ts";
import type { LimitHit } from "#schemas/artifacts/build-test-report.ts";

/**
 * A control group in which the kernel refuses to start more processes than a maximum. The maximum is well above the
 * profile's limit, so that the accountant sees the limit exceeded first and names it; it stops a fork bomb that is
 * faster than the accountant.
 */
export interface ProcessCeiling {
  /** True when this command has a control group. */
  grouped: boolean;
  /** The group's directory; null without one. */
  directory: string | null;
  /** Puts processes into the group; their children are born into it. */
  join(pids: readonly number[]): void;
  /**
   * Like `join`, in the background. The first of several joins takes milliseconds, because the kernel waits until no
   * process is in the middle of a fork; a join soon after it is fast.
   */
  joinSoon(pid: number): void;
  /** The process limit, when the kernel has refused a fork; else null. A command may end between two samples of the
   * accountant. */
  hit(): LimitHit | null;
  /** From now on no process in the group can start another, so that killing them all comes to an end. */
  forbidForks(): void;
  /** The pids of every process in the group, also of those that left their parents; none without a group. */
  members(): number[];
  release(): Promise<void>;
}

const PREFIX = "distributed-agents-";
const NO_GROUP = { hit: () => null, forbidForks: () => {}, members: () => [], release: async () => {} };
const SLACK = 16;
const RELEASE_TRIES_MAX = 100;
/** Version 1 has a hierarchy for each controller; version 2 has one, which must offer `pids`. */
const HIERARCHIES = ["/sys/fs/cgroup/pids", "/sys/fs/cgroup"];

export function ceilingOf(processes_max: number): number {
  return processes_max * 2 + SLACK;
}

/** https://docs.kernel.org/admin-guide/cgroup-v1/pids.html, and "PID" in cgroup-v2.html beside it. */
export function processCeiling(processes_max: number, hierarchies = HIERARCHIES): ProcessCeiling {
  for (const hierarchy of hierarchies) {
    const group = makeGroup(hierarchy, "pids", { "pids.max": ceilingOf(processes_max) });
    if (group) {
      const group_file = join(group, "cgroup.procs");
      return {
        grouped: true,
        directory: group,
        join: (pids) => joinGroup(group_file, pids),
        joinSoon: (pid) => void writeFile(group_file, String(pid)).catch(() => {}), // the process has ended
        hit: () => hitOf(group, processes_max),
        forbidForks: () => forbidForks(group),
        members: () => membersOf(group_file),
        release: () => release(group),
      };
    }
  }
  return { grouped: false, directory: null, join: () => {}, joinSoon: () => {}, ...NO_GROUP };
}

function forbidForks(group: string): void {
  try {
    writeFileSync(join(group, "pids.max"), "0");
  } catch {
    // The processes that are found are killed in any case.
  }
}

/** `max` of pids.events: how often a fork was refused, https://docs.kernel.org/admin-guide/cgroup-v1/pids.html */
function hitOf(group: string, processes_max: number): LimitHit | null {
  const events = readIfThere(join(group, "pids.events"));
  const refused = Number(/^max (\d+)$/m.exec(events)?.[1] ?? 0);
  if (refused === 0) return null;
  const observed = ceilingOf(processes_max);
  return {
    code: "SANDBOX_PROCESSES",
    limit: processes_max,
    observed,
    evidence: `${observed} processes and threads at once, where the kernel refused ${refused} more, from pids.events`,
  };
}

export function readIfThere(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch {
    return "";
  }
}

export function joinGroup(group_file: string, pids: readonly number[]): void {
  for (const pid of pids) {
    try {
      writeFileSync(group_file, String(pid));
    } catch {
      // The process has ended.
    }
  }
}

function membersOf(group_file: string): number[] {
  return readIfThere(group_file).split("\n").filter(Boolean).map(Number);
}

/** Creates a control group of this worker with these settings. Undefined when the controller cannot be used. */
export function makeGroup(
  hierarchy: string,
  controller: "pids" | "memory",
  settings: Record<string, number>,
): string | undefined {
  if (!hasController(hierarchy, controller)) return undefined;
  removeAbandoned(hierarchy);
  const group = join(hierarchy, `${PREFIX}${workerMark()}-${randomBytes(8).toString("hex")}`);
  try {
    accessSync(hierarchy, constants.W_OK);
    mkdirSync(group);
    for (const [name, value] of Object.entries(settings)) writeFileSync(join(group, name), String(value));
    return group;
  } catch {
    if (existsSync(group)) removeGroup(group);
    return undefined;
  }
}

function hasController(hierarchy: string, controller: string): boolean {
  if (hierarchy.endsWith(`/${controller}`)) return existsSync(join(hierarchy, "cgroup.procs"));
  const delegated = join(hierarchy, "cgroup.subtree_control");
  return existsSync(delegated) && readFileSync(delegated, "utf8").split(/\s/).includes(controller);
}

/** Removes groups of workers that were killed. An empty group of a living worker stays: its command may join later. */
function removeAbandoned(hierarchy: string): void {
  for (const name of readdirSync(hierarchy)) {
    if (name.startsWith(PREFIX) && isAbandoned(name.slice(PREFIX.length))) removeGroup(join(hierarchy, name));
  }
}

function removeGroup(group: string): boolean {
  try {
    rmdirSync(group);
    return true;
  } catch {
    return !existsSync(group);
  }
}

/** Removes a group. Ended processes leave it a moment after they end; a group that stays is removed by a later run. */
export async function release(group: string): Promise<void> {
  for (let tries = 0; tries < RELEASE_TRIES_MAX && !removeGroup(group); tries += 1) await delay(10);
}
