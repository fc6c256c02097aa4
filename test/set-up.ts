import { mkdirSync, mkdtempSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir, userInfo } from "node:os";
import { join } from "node:path";
import { afterAll } from "vitest";
import { leftIn, removeTemporaryDirectories } from "./temporary.ts";

/*
 * Runs before each test file. Temporary files of the test file, and of the processes it starts, go into a directory of
 * its own. The file fails when it leaves something there: then it, or the code it tests, did not clean up.
 */

/** Caches of compiled code that tsx and Node keep between their runs: shared with all other runs. */
const CACHES = [`tsx-${userInfo().uid}`, "node-compile-cache", `v8-compile-cache-${userInfo().uid}`];

/** What the test files of this worker share. A file whose tests are all skipped runs no hook, so the next one removes its directory. */
const worker = globalThis as { temporary?: { shared: string; made?: string } };
worker.temporary ??= { shared: tmpdir() };
const { shared, made } = worker.temporary;
if (made) rmSync(made, { recursive: true, force: true });

// Short, because the path of a Unix socket has 107 bytes at most.
const own = mkdtempSync(join(shared, "t-"));
worker.temporary.made = own;
for (const cache of CACHES) {
  mkdirSync(join(shared, cache), { recursive: true });
  symlinkSync(join(shared, cache), join(own, cache));
}
process.env.TMPDIR = own;

// Registered first, so it runs last: behind the hooks of the test file.
afterAll(async () => {
  removeTemporaryDirectories();
  const left = await leftIn(own, CACHES);
  rmSync(own, { recursive: true, force: true });
  process.env.TMPDIR = shared;
  if (left.length > 0)
    throw new Error(`the tests of this file left in the temporary directory: ${left.join(", ")}`);
}, 60_000);
