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
  /** Without namespaces a process can leave its parents. */
  readonly may_hide: boolean;
  /**
   * All living processes of the command (zombies too): descendants of the root, those that were
   * once, and whoever shares a session with them. `thorough` also looks for the marker.
   */
  sample(thorough: boolean): ProcessSample[];
}

/** Bystanders are not read again at every sample, only so often, in case their pid went to another. */
const BYSTANDERS_SAMPLES = 25;

/**
 * Follows the tree below `root`, a session leader that this process has just started. `older` are
 * pids from before: they need no look yet.
 */
export function followTree(root: number, marker: string | null, older: readonly number[] = []): ProcessTree {
  const born = readProcess(root)?.started ?? Number.POSITIVE_INFINITY;
  const known = new Set([identity({ pid: root, started: born })]);
  // Of the sample before only: an id is free again once its session has ended.
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
/** One look may miss a process that was started while the list was read, by one that then was gone or a zombie. */
const QUIET_ROUNDS = { grouped: 2, alone: 6 };
const QUIET_PAUSE_MS = 2;

/** Kills all that is alive of a tree at this moment. */
export function killTree(tree: ProcessTree, root_alive: boolean): void {
  if (root_alive) kill(-tree.root);
  const members = tree.sample(true);
  // A whole group at once: a process in the middle of a fork cannot slip away.
  const own_group = readProcess(process.pid)?.group;
  for (const group of new Set(members.map((member) => member.group))) {
    if (group > 1 && group !== own_group) kill(-group);
  }
  for (const { pid, state } of members) if (state !== "Z") kill(pid);
}

/**
 * Kills a tree whose root has ended until nothing of it is alive.
 * Throws RetryableFault `SANDBOX_LEFTOVERS` when something will not die for ten seconds.
 */
export async function endTree(tree: ProcessTree, ceiling: ProcessCeiling): Promise<void> {
  const quiet_rounds_wanted = tree.may_hide ? QUIET_ROUNDS[ceiling.grouped ? "grouped" : "alone"] : 1;
  let quiet_rounds = 0;
  ceiling.forbidForks();
  for (let round = 0; round < ROUNDS_MAX; round++) {
    const grouped = ceiling.members();
    const found = grouped.flatMap((pid) => readProcess(pid) ?? []);
    const members = [...tree.sample(true), ...found];
    // One that is listed and gone may have left a child that is not listed.
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
    "processes of a sandboxed command did not end when killed; the machine is probably out of order",
  );
}

function kill(pid: number): void {
  try {
    process.kill(pid, "SIGKILL");
  } catch {
    // Gone already.
  }
}
