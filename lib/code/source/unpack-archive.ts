import {
  closeSync,
  constants,
  copyFileSync,
  fchmodSync,
  mkdirSync,
  openSync,
  symlinkSync,
  writeSync,
} from "node:fs";
import { mkdir, readdir } from "node:fs/promises";
import { join } from "node:path";
import type { ReadEntry } from "tar";
import {
  type ArchivePlan,
  type PlannedEntry,
  planArchive,
  streamBytesMax,
} from "#lib/code/source/plan-archive.ts";
import { readArchive } from "#lib/code/source/read-archive.ts";
import type { SourceLimits } from "#lib/code/source/source-ports.ts";
import { TerminalFault } from "#lib/platform/errors/fault.ts";

/**
 * Unpacks a tar.gz into an empty (or absent) directory. The whole archive is checked first, so an
 * unsafe one leaves nothing behind. Files get mode 644 or 755 and nothing else of their mode or
 * owner; hard links become copies; no write ever goes through a link.
 *
 * Paths are taken as they are, with one exception: when all lies below a single top directory
 * `package/` that has a `package.json`, as `npm pack` makes it, that directory is left off.
 *
 * @throws RejectedInput `ARCHIVE_EMPTY`, `ARCHIVE_CORRUPT`, `ARCHIVE_UNSAFE_LINK`,
 * `ARCHIVE_UNSAFE_PATH`, `ARCHIVE_UNSAFE_ENTRY`, `ARCHIVE_TOO_LARGE`, `ARCHIVE_TOO_MANY_FILES`,
 * each naming the entry.
 */
export async function unpackArchive(
  bytes: Uint8Array,
  directory: string,
  limits: SourceLimits,
): Promise<void> {
  await mkdir(directory, { recursive: true });
  if ((await readdir(directory)).length > 0) {
    throw new TerminalFault(
      "UNPACK_DIRECTORY_NOT_EMPTY",
      `${directory} must be empty to unpack a source into.`,
    );
  }
  const plan = await planArchive(bytes, limits);
  for (const entry of plan.entries.values()) {
    if (entry.kind === "directory") mkdirSync(join(directory, entry.path));
  }
  let index = 0;
  await readArchive(bytes, streamBytesMax(limits), (entry) => {
    const planned = plannedAt(plan, index);
    index += 1;
    if (planned?.kind === "file") writeFileOf(entry, join(directory, planned.path), planned.executable);
    else entry.resume();
  });
  writeLinks(plan, directory);
}

function plannedAt(plan: ArchivePlan, index: number): PlannedEntry | undefined {
  return plan.entries.get(plan.order[index] ?? "");
}

/** Synchronous writes: the parser hands over one chunk at a time and never outruns the disk. */
function writeFileOf(entry: ReadEntry, path: string, executable: boolean): void {
  const file = openSync(path, constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL, 0o600);
  entry.on("data", (chunk: Buffer) => {
    try {
      for (let written = 0; written < chunk.length; ) written += writeSync(file, chunk, written);
    } catch (error) {
      closeSync(file);
      throw error;
    }
  });
  entry.on("end", () => {
    fchmodSync(file, executable ? 0o755 : 0o644);
    closeSync(file);
  });
}

/** Last, so that not even a file system that folds names can lead a write through a link. */
function writeLinks(plan: ArchivePlan, directory: string): void {
  for (const entry of plan.entries.values()) {
    if (entry.kind !== "hard link") continue;
    copyFileSync(join(directory, entry.target), join(directory, entry.path), constants.COPYFILE_EXCL);
  }
  for (const entry of plan.entries.values()) {
    if (entry.kind === "symbolic link") symlinkSync(entry.target, join(directory, entry.path));
  }
}
