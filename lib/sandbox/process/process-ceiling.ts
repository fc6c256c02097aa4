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
 * What the kernel refuses to let a command exceed, well above the limit: the accountant has seen
 * the limit passed by then and names it, and a fork bomb cannot outrun the accountant.
 */
export interface ProcessCeiling {
  /** Whether there is a group for this command. */
  grouped: boolean;
  /** The group's directory; null without one. */
  directory: string | null;
  /** Puts processes into the group; their children are born into it. */
  join(pids: readonly number[]): void;
  /**
   * The same in the background. The first of several joins takes milliseconds, until nobody in the kernel
   * is in the middle of a fork; one soon after it does not.
   */
  joinSoon(pid: number): void;
  /** The limit that the kernel met for the accountant: a command may be over between two of its looks. */
  hit(): LimitHit | null;
  /** Nothing in the group can start a process from now on: whatever is being ended cannot outrun it. */
  forbidForks(): void;
  /** Every process in the group, however it left its parents; none without a group. */
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
        joinSoon: (pid) => void writeFile(group_file, String(pid)).catch(() => {}), // it has ended
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
    // Those that are seen are killed all the same.
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
      // It has ended.
    }
  }
}

function membersOf(group_file: string): number[] {
  return readIfThere(group_file).split("\n").filter(Boolean).map(Number);
}

/** A new group of this worker with these settings; undefined where the controller cannot be used. */
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

/** Groups of workers that were killed; those of the living may be empty because nobody has joined yet. */
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

/** The dead leave their group a moment after they ended. What stays is removed by a later run. */
export async function release(group: string): Promise<void> {
  for (let tries = 0; tries < RELEASE_TRIES_MAX && !removeGroup(group); tries += 1) await delay(10);
}
