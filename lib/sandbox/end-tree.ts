import { setTimeout as delay } from "node:timers/promises";
import { RetryableFault } from "#lib/platform/errors/fault.ts";
import type { ProcessCeiling } from "#lib/sandbox/process-ceiling.ts";
import { readProcess } from "#lib/sandbox/process-table.ts";
import type { ProcessTree } from "#lib/sandbox/process-tree.ts";

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
