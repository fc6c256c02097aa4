import { setTimeout as delay } from "node:timers/promises";
import { RetryableFault } from "#lib/errors/fault.ts";
import { readProcess } from "#lib/sandbox/process-table.ts";
import type { ProcessTree } from "#lib/sandbox/process-tree.ts";

const ROUNDS_MAX = 1000;
const PAUSE_MS = 10;

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
export async function endTree(tree: ProcessTree): Promise<void> {
  for (let round = 0; round < ROUNDS_MAX; round++) {
    if (tree.sample(true).every((member) => member.state === "Z")) return;
    killTree(tree, false);
    await delay(PAUSE_MS);
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
