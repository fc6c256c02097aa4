import { chmod, lstat, readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { globMatcher } from "#lib/code/tree/glob-matcher.ts";

/**
 * Prepares a tree that a command has worked in for comparison with the one before: removes the new files that the globs
 * mean, and new sockets, pipes and devices, which are no part of a change, and makes the rest readable. No link is
 * followed. A file that was there before stays, whatever it is called.
 */
export async function leaveOutFiles(before: string, after: string, globs: readonly string[]): Promise<void> {
  const matchers = globs.map(globMatcher);
  const pending = [""];
  for (let below = pending.pop(); below !== undefined; below = pending.pop()) {
    for (const entry of await readdir(join(after, below), { withFileTypes: true })) {
      const path = below === "" ? entry.name : `${below}/${entry.name}`;
      const absolute = join(after, path);
      if (entry.isSymbolicLink() || entry.isFile() || entry.isDirectory()) {
        const { mode } = await lstat(absolute);
        const wanted = entry.isDirectory() ? 0o700 : 0o400;
        if (!entry.isSymbolicLink() && (mode & wanted) !== wanted)
          await chmod(absolute, (mode & 0o777) | wanted);
        if (entry.isDirectory()) {
          pending.push(path);
          continue;
        }
        if (!matchers.some((matches) => matches(path))) continue;
      }
      if (!(await isThere(join(before, path)))) await rm(absolute);
    }
  }
}

async function isThere(path: string): Promise<boolean> {
  const found = await lstat(path).catch(() => undefined);
  return found !== undefined;
}
