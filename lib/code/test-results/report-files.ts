import { constants } from "node:fs";
import { lstat, open, readdir } from "node:fs/promises";
import { join } from "node:path";
import { globMatcher } from "#lib/code/tree/glob-matcher.ts";

interface ReportFile {
  /** Relative to the tree. */
  path: string;
  text: string;
}

export interface ReportFiles {
  files: ReportFile[];
  /** What was there and could not be read whole. */
  problems: string[];
}

/** Where report files are looked for. */
export interface ReportPlace {
  tree: string;
  /** What `reportFileVersions` gave before the tests ran. */
  before: ReadonlyMap<string, string>;
  /** Patterns beside the usual ones. */
  globs: readonly string[];
}

/** What reporters call their files by default, or as their manuals suggest, at any depth. */
const REPORT_GLOBS: readonly string[] = [
  "**/target/surefire-reports/*.xml",
  "**/target/failsafe-reports/*.xml",
  "**/build/test-results/**/*.xml",
  "**/test-results/**/*.xml",
  "**/TEST-*.xml",
  "**/junit.xml",
  "**/report.xml",
  "**/results.xml",
  "**/test-report.xml",
  "**/test-results.xml",
  "**/test-results.json",
  "**/test-results/results.json",
  "**/results.json",
];
/** Directories that are passed over unless a pattern names them. */
const PASSED_OVER = ["node_modules", ".git"];
const ENTRIES_MAX = 200_000;
const DEPTH_MAX = 32;
const FILES_MAX = 2000;
const FILE_BYTES_MAX = 8 * 1024 * 1024;
const TOTAL_BYTES_MAX = 32 * 1024 * 1024;

/** The reports in a tree before its tests run, so that an old one is not taken for theirs. */
export async function reportFileVersions(
  tree: string,
  globs: readonly string[] = [],
): Promise<Map<string, string>> {
  const versions = new Map<string, string>();
  for (const path of await candidates(tree, globs)) {
    const found = await readRegularFile(tree, path, 0);
    if (found && found !== "refused") versions.set(path, found.version);
  }
  return versions;
}

/**
 * The reports that were written or changed since. Links are not followed: they may lead out of the tree. A file that
 * is too large is read up to the limit, so that its report is found to be cut off.
 */
export async function newReportFiles(
  tree: string,
  before: ReadonlyMap<string, string>,
  globs: readonly string[] = [],
): Promise<ReportFiles> {
  const files: ReportFile[] = [];
  let room = TOTAL_BYTES_MAX;
  let left_out = 0;
  const refused: string[] = [];
  for (const path of await candidates(tree, globs)) {
    const wanted = files.length < FILES_MAX ? Math.min(room, FILE_BYTES_MAX) : 0;
    const found = await readRegularFile(tree, path, wanted);
    if (found === "refused") refused.push(path);
    if (!found || found === "refused" || before.get(path) === found.version) continue;
    if (wanted === 0) left_out += 1;
    else files.push({ path, text: decoded(found.bytes) });
    room -= found.bytes.length;
  }
  const problems = refused.map(
    (path) => `the report file ${path} cannot be read: its mode does not permit it`,
  );
  if (left_out > 0) {
    problems.push(
      `${left_out} report files were not read: ${FILES_MAX} files and ${TOTAL_BYTES_MAX} bytes together are the limit`,
    );
  }
  return { files, problems };
}

/** Paths that a pattern means, sorted; a bounded walk, since the tree is the submitted work's. */
async function candidates(tree: string, globs: readonly string[]): Promise<string[]> {
  if (!(await lstat(tree).catch(() => null))?.isDirectory()) return []; // a link leads out of the workspace
  const matchers = [...REPORT_GLOBS, ...globs].map(globMatcher);
  const named = new Set(globs.flatMap((glob) => glob.split("/")));
  const found: string[] = [];
  const waiting = [{ directory: "", depth: 0 }];
  let entries = 0;
  for (let next = waiting.pop(); next && entries < ENTRIES_MAX; next = waiting.pop()) {
    const { directory, depth } = next;
    for (const entry of await readdir(join(tree, directory), { withFileTypes: true }).catch(() => [])) {
      if (++entries > ENTRIES_MAX) break;
      const path = directory === "" ? entry.name : `${directory}/${entry.name}`;
      const passed_over = PASSED_OVER.includes(entry.name) && !named.has(entry.name);
      if (entry.isDirectory() && depth < DEPTH_MAX && !passed_over) {
        waiting.push({ directory: path, depth: depth + 1 });
      } else if (entry.isFile() && matchers.some((matches) => matches(path))) found.push(path);
    }
  }
  return found.sort();
}

/** Null when there is no such file (any more), or when it is something else than a file. */
async function readRegularFile(tree: string, path: string, bytes_max: number) {
  try {
    const file = await open(
      join(tree, path),
      constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK,
    );
    try {
      const stat = await file.stat({ bigint: true });
      if (!stat.isFile()) return null;
      const version = `${stat.ino}:${stat.mtimeNs}:${stat.ctimeNs}:${stat.size}`;
      const bytes = Buffer.alloc(Math.min(bytes_max, Number(stat.size)));
      let length = 0;
      while (length < bytes.length) {
        const { bytesRead } = await file.read(bytes, length, bytes.length - length, length);
        if (bytesRead === 0) break;
        length += bytesRead;
      }
      return { version, bytes: bytes.subarray(0, length) };
    } finally {
      await file.close();
    }
  } catch (error) {
    const code = error instanceof Error && "code" in error ? error.code : null;
    return code === "EACCES" || code === "EPERM" ? "refused" : null;
  }
}

/** UTF-8 unless a byte order mark says otherwise: PowerShell redirects in UTF-16. */
function decoded(bytes: Buffer): string {
  if (bytes[0] === 0xff && bytes[1] === 0xfe) return bytes.subarray(2).toString("utf16le");
  if (bytes[0] === 0xfe && bytes[1] === 0xff) return new TextDecoder("utf-16be").decode(bytes);
  return bytes.toString("utf8").replace(/^\ufeff/, "");
}
