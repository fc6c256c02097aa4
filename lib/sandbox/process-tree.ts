import { carriesMarker, listProcesses, type ProcessSample, readProcess } from "#lib/sandbox/process-table.ts";

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
