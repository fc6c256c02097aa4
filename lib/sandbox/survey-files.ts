import { lstatSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { setImmediate as breathe } from "node:timers/promises";

export interface FileSurvey {
  bytes: number;
  inodes: number;
  /** The largest file that was changed since, or null. */
  largest: { path: string; bytes: number } | null;
}

/**
 * Walks directories that an untrusted command has filled, without following links. Files with
 * several names count once; what cannot be read is passed over. Stops at `entries_max`.
 * `changed_after_ms` is compared with the time a file was last changed, which nobody can set.
 */
export async function surveyFiles(
  roots: readonly string[],
  { changed_after_ms, entries_max }: { changed_after_ms: number; entries_max: number },
): Promise<FileSurvey> {
  const survey: FileSurvey = { bytes: 0, inodes: 0, largest: null };
  const linked = new Set<number>();
  const waiting = [...roots];
  let entries = 0;
  for (let directory = waiting.pop(); directory !== undefined; directory = waiting.pop()) {
    for (const name of listOrNothing(directory)) {
      if (entries++ >= entries_max) return survey;
      const path = join(directory, name);
      const stat = lstatOrNull(path);
      if (!stat || (stat.nlink > 1 && !stat.isDirectory() && linked.has(stat.ino))) continue;
      if (stat.nlink > 1 && !stat.isDirectory()) linked.add(stat.ino);
      survey.inodes += 1;
      survey.bytes += stat.blocks * 512;
      if (stat.isDirectory()) waiting.push(path);
      const larger = stat.size > (survey.largest?.bytes ?? -1);
      if (larger && stat.isFile() && stat.ctimeMs > changed_after_ms) {
        survey.largest = { path, bytes: stat.size };
      }
    }
    if (entries % 500 < 20) await breathe();
  }
  return survey;
}

function listOrNothing(directory: string): string[] {
  try {
    return readdirSync(directory);
  } catch {
    return [];
  }
}

function lstatOrNull(path: string) {
  try {
    return lstatSync(path);
  } catch {
    return null;
  }
}
