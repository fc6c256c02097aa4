import { constants, type Dirent } from "node:fs";
import { lstat, open, readdir } from "node:fs/promises";
import { dirname, join } from "node:path";

export interface ReportFile {
  /** Relative to the tree. */
  path: string;
  text: string;
}

/** What reporters call their files by default, or as their manuals suggest. */
const NAMES = [
  "junit.xml",
  "report.xml",
  "results.xml",
  "test-report.xml",
  "test-results.xml",
  "test-results.json",
  "results.json",
  "reports/junit.xml",
  "test-results/junit.xml",
  "test-results/results.json",
];
const DIRECTORIES = ["target/surefire-reports", "build/test-results/test"];
const FILES_MAX = 200;
const FILE_BYTES_MAX = 8 * 1024 * 1024;
const TOTAL_BYTES_MAX = 16 * 1024 * 1024;

/** The reports in a tree before its tests run, so that an old one is not taken for theirs. */
export async function reportFileVersions(tree: string): Promise<Map<string, string>> {
  const versions = new Map<string, string>();
  for (const path of await candidates(tree)) {
    const found = await readRegularFile(tree, path, 0);
    if (found) versions.set(path, found.version);
  }
  return versions;
}

/** The reports that were written since. Links are not followed: they may lead out of the tree. */
export async function newReportFiles(
  tree: string,
  before: ReadonlyMap<string, string>,
): Promise<ReportFile[]> {
  const files: ReportFile[] = [];
  let room = TOTAL_BYTES_MAX;
  for (const path of await candidates(tree)) {
    const found = await readRegularFile(tree, path, Math.min(room, FILE_BYTES_MAX));
    if (!found || found.text === null || before.get(path) === found.version) continue;
    files.push({ path, text: found.text });
    room -= found.text.length;
  }
  return files;
}

async function candidates(tree: string): Promise<string[]> {
  const listed: string[] = [];
  for (const directory of DIRECTORIES) {
    if (!(await isReachedWithoutLinks(tree, directory))) continue;
    const entries: Dirent[] = await readdir(join(tree, directory), { withFileTypes: true }).catch(() => []);
    const names = entries.map((entry) => entry.name).filter((name) => name.endsWith(".xml"));
    listed.push(...names.sort().map((name) => join(directory, name)));
  }
  return [...NAMES, ...listed.slice(0, FILES_MAX)];
}

async function readRegularFile(tree: string, path: string, bytes_max: number) {
  try {
    if (!(await isReachedWithoutLinks(tree, dirname(path)))) return null;
    const file = await open(
      join(tree, path),
      constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK,
    );
    try {
      const stat = await file.stat({ bigint: true });
      if (!stat.isFile()) return null;
      const version = `${stat.ino}:${stat.mtimeNs}:${stat.ctimeNs}:${stat.size}`;
      const text = stat.size <= bytes_max ? await file.readFile("utf8") : null;
      return { version, text };
    } finally {
      await file.close();
    }
  } catch {
    return null;
  }
}

/**
 * True when the tree and every directory from it down to `directory` is a directory, not a link. It stays so while it
 * is read: no process of the command is alive then.
 */
async function isReachedWithoutLinks(tree: string, directory: string): Promise<boolean> {
  const names = directory.split("/");
  for (let depth = 0; depth <= names.length; depth++) {
    const stat = await lstat(join(tree, ...names.slice(0, depth))).catch(() => null);
    if (!stat?.isDirectory()) return false;
  }
  return true;
}
