import { chmod, readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { runProgram } from "#lib/platform/processes/spawn-program.ts";

/** Removes a directory whatever its owner did to the modes inside (package caches are read-only). */
export async function removeTree(directory: string): Promise<void> {
  try {
    await rm(directory, { recursive: true, force: true, maxRetries: 3 });
  } catch {
    await makeWritable(directory).catch(() => {});
    // Paths may be longer than the kernel takes; `rm` goes from directory to directory.
    await runProgram("rm", ["-rf", "--", directory]);
  }
}

async function makeWritable(root: string): Promise<void> {
  const waiting = [root];
  for (let directory = waiting.pop(); directory !== undefined; directory = waiting.pop()) {
    await chmod(directory, 0o700);
    for (const entry of await readdir(directory, { withFileTypes: true })) {
      if (entry.isDirectory()) waiting.push(join(directory, entry.name));
    }
  }
}
