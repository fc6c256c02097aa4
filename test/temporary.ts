import { existsSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { sweepAbandonedDirectories } from "#lib/platform/processes/abandoned-directories.ts";

/*
 * What tests put on the disk. Each test file has a directory for temporary files of its own (set-up.ts), so that what
 * it leaves behind is its own, whatever else runs on the machine.
 */

/** Made by `temporaryDirectory` in the test file that runs. */
const made = new Set<string>();
const PATIENCE_MS = 20_000;

/** A new and empty directory, which is removed when the test file has ended. */
export function temporaryDirectory(name = "test"): string {
  const directory = mkdtempSync(join(tmpdir(), `${name}-`));
  made.add(directory);
  return directory;
}

export function removeTemporaryDirectories(): void {
  for (const directory of made) rmSync(directory, { recursive: true, force: true });
  made.clear();
}

/**
 * The names of what is still in the directory for temporary files, but for what is expected there, once what is being removed had
 * its time. What killed workers left is swept first, as the next worker does it.
 */
export async function leftIn(
  directory: string,
  expected: readonly string[] = [],
  patience_ms = PATIENCE_MS,
): Promise<string[]> {
  for (const until = Date.now() + patience_ms; ; await delay(50)) {
    await sweepAbandonedDirectories();
    const found = existsSync(directory) ? readdirSync(directory).sort() : [];
    const left = found.filter((name) => !expected.includes(name));
    if (left.length === 0 || Date.now() >= until) return left;
  }
}
