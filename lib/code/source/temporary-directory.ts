import { rm } from "node:fs/promises";
import {
  makeOwnedDirectory,
  sweepAbandonedDirectories,
} from "#lib/platform/processes/abandoned-directories.ts";

/**
 * Runs `work` with a fresh directory that is gone afterwards, however `work` ends. What killed workers left
 * on this machine goes, too.
 */
export async function withTemporaryDirectory<Result>(
  purpose: string,
  work: (directory: string) => Promise<Result>,
): Promise<Result> {
  void sweepAbandonedDirectories(); // goes on beside the work
  const directory = await makeOwnedDirectory(purpose);
  try {
    return await work(directory);
  } finally {
    await rm(directory, { recursive: true, force: true, maxRetries: 3 });
  }
}
