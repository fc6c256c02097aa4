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
/** A link, or a pipe, of such a name stands in a report's place; one of another name may be any. */
const NAMED_AS_REPORT = /\.(?:xml|json|tap)$/i;
/** Directories that are passed over unless a pattern names them. */
const PASSED_OVER = ["node_modules", ".git"];
const ENTRIES_MAX = 200_000;
const DEPTH_MAX = 32;
const FILES_MAX = 2000;
const FILE_BYTES_MAX = 8 * 1024 * 1024;
const TOTAL_BYTES_MAX = 32 * 1024 * 1024;

const UNREAD = {
  refused: "its mode does not permit it",
  "no file": "it is a link, or something else than a file",
};
/** In place of the version of what is no file. */
const NO_FILE = "no file";

/** The reports in a tree before its tests run, so that an old one is not taken for theirs. */
export async function reportFileVersions(
  tree: string,
  globs: readonly string[] = [],
): Promise<Map<string, string>> {
  const versions = new Map<string, string>();
  for (const path of await candidates(tree, globs)) {
    const found = await readRegularFile(tree, path, 0);
    if (found === "no file") versions.set(path, NO_FILE);
    else if (found && found !== "refused") versions.set(path, found.version);
  }
  return versions;
}

/**
 * The reports that were written or changed since. Links are not followed, for they may lead out of the tree: one of a
 * report's name is a problem, and so is anything else that is no file. A file that is too large is read up to the limit, so that its report is found to be cut off.
 */
export async function newReportFiles(
  tree: string,
  before: ReadonlyMap<string, string>,
  globs: readonly string[] = [],
): Promise<ReportFiles> {
  const files: ReportFile[] = [];
  let room = TOTAL_BYTES_MAX;
  let left_out = 0;
  const unread: [path: string, why: keyof typeof UNREAD][] = [];
  for (const path of await candidates(tree, globs)) {
    const wanted = files.length < FILES_MAX ? Math.min(room, FILE_BYTES_MAX) : 0;
    const found = await readRegularFile(tree, path, wanted);
    if (found === "refused" || found === "no file") unread.push([path, found]);
    if (!found || typeof found === "string" || before.get(path) === found.version) continue;
    if (wanted === 0) left_out += 1;
    else files.push({ path, text: decoded(found.bytes) });
    room -= found.bytes.length;
  }
  const problems = unread
    .filter(([path, why]) => why === "refused" || before.get(path) !== NO_FILE)
    .map(([path, why]) => `the report file ${path} cannot be read: ${UNREAD[why]}`);
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
        continue;
      }
      const may_be_report = entry.isFile() || (!entry.isDirectory() && NAMED_AS_REPORT.test(entry.name));
      if (may_be_report && matchers.some((matches) => matches(path))) found.push(path);
    }
  }
  return found.sort();
}

/** Null when there is no such file (any more). */
async function readRegularFile(
  tree: string,
  path: string,
  bytes_max: number,
): Promise<{ version: string; bytes: Buffer } | "refused" | "no file" | null> {
  try {
    const file = await open(
      join(tree, path),
      constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK,
    );
    try {
      const stat = await file.stat({ bigint: true });
      if (!stat.isFile()) return "no file";
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
    if (code === "ELOOP" || code === "ENXIO") return "no file"; // a link, a socket
    return code === "EACCES" || code === "EPERM" ? "refused" : null;
  }
}

/** How an XML declaration names another encoding than UTF-8: https://www.w3.org/TR/xml/#charencoding */
const DECLARED = /^<\?xml\s[^>]{0,100}\bencoding\s{0,10}=\s{0,10}["']([A-Za-z][\w.:-]{0,39})["']/;

/** UTF-8 unless a byte order mark, as PowerShell writes it with UTF-16, or an XML declaration says otherwise. */
function decoded(bytes: Buffer): string {
  const declared = DECLARED.exec(bytes.subarray(0, 200).toString("latin1"))?.[1];
  if (declared !== undefined && !/^utf-?(8|16)/i.test(declared)) {
    try {
      return new TextDecoder(declared).decode(bytes);
    } catch {
      // No encoding of that name is known: the names of its tests may be wrong, what became of them is not.
    }
  }
  if (bytes[0] === 0xff && bytes[1] === 0xfe) return bytes.subarray(2).toString("utf16le");
  if (bytes[0] === 0xfe && bytes[1] === 0xff) return new TextDecoder("utf-16be").decode(bytes);
  return bytes.toString("utf8").replace(/^\ufeff/, "");
}
