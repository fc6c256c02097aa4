import { rm } from "node:fs/promises";
import {
  makeOwnedDirectory,
  sweepAbandonedDirectories,
} from "#lib/platform/processes/abandoned-directories.ts";

/**
 * Runs `work` with a new directory and removes it afterwards, even when `work` fails. Directories that killed
 * processes left on this machine are removed too.
 */
export async function withTemporaryDirectory<Result>(
  purpose: string,
  work: (directory: string) => Promise<Result>,
): Promise<Result> {
  void sweepAbandonedDirectories(); // runs beside the work
  const directory = await makeOwnedDirectory(purpose);
  try {
    return await work(directory);
  } finally {
    await rm(directory, { recursive: true, force: true, maxRetries: 3 });
  }
}
