import { setTimeout as delay } from "node:timers/promises";
import { RetryableFault } from "#lib/platform/errors/fault.ts";
import type { ProcessCeiling } from "#lib/sandbox/process/process-ceiling.ts";
import {
  carriesMarker,
  listProcesses,
  type ProcessSample,
  readProcess,
} from "#lib/sandbox/process/process-table.ts";

export interface ProcessTree {
  readonly root: number;
  /** True when a process can leave its parents unseen, because there is no process namespace. */
  readonly may_hide: boolean;
  /**
   * All processes of the command that exist, zombies included: descendants of the root, earlier descendants, and
   * processes that share a session with one of them. `thorough` also finds processes by the marker.
   */
  sample(thorough: boolean): ProcessSample[];
}

/** Processes that do not belong to the command are read only at every 25th sample, in case their pid was reused. */
const BYSTANDERS_SAMPLES = 25;

/**
 * Follows the tree below `root`, a session leader that this process has just started. `older` are the pids that
 * existed before it: they do not belong to the command.
 */
export function followTree(root: number, marker: string | null, older: readonly number[] = []): ProcessTree {
  const born = readProcess(root)?.started ?? Number.POSITIVE_INFINITY;
  const known = new Set([identity({ pid: root, started: born })]);
  // Sessions of the previous sample only: a session id may be reused once the session has ended.
  let sessions = new Set([root]);
  let bystanders = new Set(older);
  let samples = 1;

  return {
    root,
    may_hide: marker !== null,
    sample(thorough) {
      if ((thorough && marker !== null) || samples++ % BYSTANDERS_SAMPLES === 0) bystanders = new Set();
      const strangers = new Map<number, ProcessSample>();
      for (const pid of listProcesses() ?? []) {
        if (bystanders.has(pid)) continue;
        const process_sample = readProcess(pid);
        if (!process_sample) continue;
        if (process_sample.started < born) bystanders.add(pid);
        else strangers.set(pid, process_sample);
      }
      const members = new Map<number, ProcessSample>();
      const join = (process_sample: ProcessSample) => {
        strangers.delete(process_sample.pid);
        members.set(process_sample.pid, process_sample);
        known.add(identity(process_sample));
        sessions.add(process_sample.session);
      };
      for (const each of strangers.values()) {
        const marked = thorough && marker !== null && carriesMarker(each.pid, marker);
        if (marked || known.has(identity(each))) join(each);
      }
      // Children are read before or after their parents: repeat until nobody joins.
      for (let before = -1; before !== members.size; ) {
        before = members.size;
        for (const each of strangers.values()) {
          if (members.has(each.parent) || sessions.has(each.session)) join(each);
        }
      }
      sessions = new Set([...members.values()].map((member) => member.session));
      return [...members.values()];
    },
  };
}

function identity({ pid, started }: Pick<ProcessSample, "pid" | "started">): string {
  return `${pid}:${started}`;
}

const ROUNDS_MAX = 1000;
const PAUSE_MS = 10;
/**
 * One sample may miss a process that was started while the list was read by a process that then ended. So this many
 * samples in a row must find nothing alive.
 */
const QUIET_ROUNDS = { grouped: 2, alone: 6 };
const QUIET_PAUSE_MS = 2;

/** Kills every process of a tree that is alive now. */
export function killTree(tree: ProcessTree, root_alive: boolean): void {
  if (root_alive) kill(-tree.root);
  const members = tree.sample(true);
  // By process group, so that a process in the middle of a fork is killed with its child.
  const own_group = readProcess(process.pid)?.group;
  for (const group of new Set(members.map((member) => member.group))) {
    if (group > 1 && group !== own_group) kill(-group);
  }
  for (const { pid, state } of members) if (state !== "Z") kill(pid);
}

/**
 * Kills the processes of a tree whose root has ended, until none is alive.
 * Throws RetryableFault `SANDBOX_LEFTOVERS` when a process survives for about ten seconds.
 */
export async function endTree(tree: ProcessTree, ceiling: ProcessCeiling): Promise<void> {
  const quiet_rounds_wanted = tree.may_hide ? QUIET_ROUNDS[ceiling.grouped ? "grouped" : "alone"] : 1;
  let quiet_rounds = 0;
  ceiling.forbidForks();
  for (let round = 0; round < ROUNDS_MAX; round++) {
    const grouped = ceiling.members();
    const found = grouped.flatMap((pid) => readProcess(pid) ?? []);
    const members = [...tree.sample(true), ...found];
    // A listed process that has ended meanwhile may have left a child that is not listed.
    const quiet = found.length === grouped.length && members.every((member) => member.state === "Z");
    quiet_rounds = quiet ? quiet_rounds + 1 : 0;
    if (quiet_rounds >= quiet_rounds_wanted) return;
    if (quiet) {
      await delay(QUIET_PAUSE_MS);
      continue;
    }
    killTree(tree, false);
    for (const { pid, state } of members) if (state !== "Z") kill(pid);
    await delay(Math.min(PAUSE_MS, round + 1));
  }
  throw new RetryableFault(
    "SANDBOX_LEFTOVERS",
    "processes of a sandboxed command did not end when killed; the machine is probably faulty",
  );
}

function kill(pid: number): void {
  try {
    process.kill(pid, "SIGKILL");
  } catch {
    // The process has ended.
  }
}
