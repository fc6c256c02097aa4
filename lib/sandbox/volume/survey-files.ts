import { closeSync, constants, existsSync, lstatSync, openSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { setImmediate as breathe } from "node:timers/promises";

export interface FileSurvey {
  bytes: number;
  inodes: number;
  /** The largest file that changed after `changed_after_ms`, or null. */
  largest: { path: string; bytes: number } | null;
}

/** Deeper directories are counted and not entered, because each level needs an open descriptor. */
const DEPTH_MAX = 256;
const BREATHE_ENTRIES = 500;
const HAS_DESCRIPTORS = existsSync("/proc/self/fd");

/**
 * Counts the files in directories that an untrusted command has filled and may still be changing. No link is
 * followed at any level: each directory is opened below the one before it (O_NOFOLLOW), and listed and measured by
 * that descriptor. A directory that is exchanged with a link meanwhile is not entered.
 * Files with several names count once; what cannot be read is passed over. Stops at `entries_max`.
 * `changed_after_ms` is compared with the time a file was last changed, which no program can set.
 */
export async function surveyFiles(
  roots: readonly string[],
  options: { changed_after_ms: number; entries_max: number },
): Promise<FileSurvey> {
  const survey: FileSurvey = { bytes: 0, inodes: 0, largest: null };
  const seen = { linked: new Set<number>(), entries: 0 };
  for (const root of roots) await surveyBelow(root, { survey, seen, ...options });
  return survey;
}

interface Survey {
  survey: FileSurvey;
  seen: { linked: Set<number>; entries: number };
  changed_after_ms: number;
  entries_max: number;
}

interface Place {
  descriptor: number;
  /** For messages. On a system with /proc no file is opened by this path. */
  path: string;
}

interface OpenDirectory extends Place {
  subdirectories: string[];
}

/** Depth first: only the directories above the current one are open. */
async function surveyBelow(root: string, order: Survey): Promise<void> {
  const above: OpenDirectory[] = [];
  const enter = (place: string, path: string) => {
    const descriptor = openDirectory(place);
    if (descriptor !== null)
      above.push({ descriptor, path, subdirectories: surveyOne({ descriptor, path }, order) });
  };
  try {
    enter(root, root);
    let breathed = order.seen.entries;
    for (let current = above.at(-1); current !== undefined; current = above.at(-1)) {
      const name = current.subdirectories.pop();
      if (name === undefined) closeSync((above.pop() as OpenDirectory).descriptor);
      else if (above.length < DEPTH_MAX) enter(below(current, name), join(current.path, name));
      if (order.seen.entries - breathed < BREATHE_ENTRIES) continue;
      breathed = order.seen.entries;
      await breathe();
    }
  } finally {
    for (const { descriptor } of above) closeSync(descriptor);
  }
}

/** Counts what is in one directory; gives the names of the directories in it. */
function surveyOne(place: Place, { survey, seen, ...limits }: Survey): string[] {
  const subdirectories: string[] = [];
  for (const name of listOrNothing(below(place, "."))) {
    if (seen.entries++ >= limits.entries_max) return [];
    const stat = lstatOrNull(below(place, name));
    if (!stat) continue;
    const has_names = stat.nlink > 1 && !stat.isDirectory();
    if (has_names && seen.linked.has(stat.ino)) continue;
    if (has_names) seen.linked.add(stat.ino);
    survey.inodes += 1;
    survey.bytes += stat.blocks * 512;
    if (stat.isDirectory()) subdirectories.push(name);
    const larger = stat.size > (survey.largest?.bytes ?? -1);
    if (larger && stat.isFile() && stat.ctimeMs > limits.changed_after_ms) {
      survey.largest = { path: join(place.path, name), bytes: stat.size };
    }
  }
  return subdirectories;
}

/** openat(2) by way of /proc: the descriptor's directory wherever it lies now. Without /proc it goes by path. */
function below({ descriptor, path }: Place, name: string): string {
  return HAS_DESCRIPTORS ? `/proc/self/fd/${descriptor}/${name}` : join(path, name);
}

function openDirectory(path: string): number | null {
  try {
    return openSync(path, constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW);
  } catch {
    return null;
  }
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
