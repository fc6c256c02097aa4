import { readdirSync } from "node:fs";
import { mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { performance } from "node:perf_hooks";
import { removeTree } from "#lib/platform/processes/remove-tree.ts";
import {
  DIRECTORY_PREFIX,
  isAbandoned,
  WORK_PREFIX,
  workerMark,
} from "#lib/platform/processes/worker-mark.ts";

/** Listing a large temporary directory takes milliseconds. */
const PAUSE_MS = 2000;

let swept_ms = Number.NEGATIVE_INFINITY;

/** A fresh directory among the machine's temporary ones that names this process as its owner. */
export function makeOwnedDirectory(purpose: string): Promise<string> {
  return mkdtemp(join(tmpdir(), `${WORK_PREFIX}${workerMark()}-${purpose}-`));
}

/**
 * Removes the temporary directories of workers that are dead: what a worker makes it removes itself, and
 * this is for one that was killed. Resolves when they are gone. Does nothing when it has been done in this
 * process two seconds ago.
 */
export async function sweepAbandonedDirectories(): Promise<void> {
  if (performance.now() - swept_ms < PAUSE_MS) return;
  swept_ms = performance.now();
  const removed = readdirSync(tmpdir())
    .filter((name) => {
      const prefix = [DIRECTORY_PREFIX, WORK_PREFIX].find((known) => name.startsWith(known));
      return prefix !== undefined && isAbandoned(name.slice(prefix.length));
    })
    // What cannot be removed now is tried again by the next sweep.
    .map((name) => removeTree(join(tmpdir(), name)).catch(() => {}));
  await Promise.all(removed);
}
