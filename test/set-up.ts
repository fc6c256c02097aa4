import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll } from "vitest";
import { leftIn, removeTemporaryDirectories } from "./temporary.ts";

/*
 * Runs before each test file. Temporary files of the test file, and of the processes it starts, go into a directory of
 * its own. The file fails when it leaves something there: then it, or the code it tests, did not clean up.
 */

const usual = process.env.TMPDIR;
// Short, because the path of a Unix socket has 107 bytes at most.
const own = mkdtempSync(join(tmpdir(), "t-"));
process.env.TMPDIR = own;

// Registered first, so it runs last: behind the hooks of the test file.
afterAll(async () => {
  removeTemporaryDirectories();
  const left = await leftIn(own);
  rmSync(own, { recursive: true, force: true });
  if (usual === undefined) delete process.env.TMPDIR;
  else process.env.TMPDIR = usual;
  if (left.length > 0)
    throw new Error(`the tests of this file left in the temporary directory: ${left.join(", ")}`);
}, 60_000);
