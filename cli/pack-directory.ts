import { lstat, readdir } from "node:fs/promises";
import { basename, join, relative, resolve, sep } from "node:path";
import { create } from "tar";
import { UsageError } from "./cli-error.ts";
import { formatBytes } from "./render/format.ts";
import { listWorkTree } from "./work-tree/list-work-tree.ts";

/** What the platform takes as shipped (configs/sandbox_limits.json); it has the last word. */
export const packLimits = { archive_bytes_max: 52_428_800, tree_bytes_max: 524_288_000, files_max: 50_000 };

export interface PackedDirectory {
  archive: Buffer;
  files: number;
}

const SKIPPED_DIRECTORIES = new Set(["node_modules", ".git"]);
/** A fixed time makes equal trees equal archives; the date npm gives its packages suits old zip tools too. */
const MTIME = new Date("1985-10-26T08:15:00.000Z");

async function listByWalk(directory: string): Promise<string[]> {
  const paths: string[] = [];
  const waiting = [directory];
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    for (const entry of await readdir(next, { withFileTypes: true })) {
      const path = join(next, entry.name);
      if (!entry.isDirectory()) paths.push(relative(directory, path));
      else if (!SKIPPED_DIRECTORIES.has(entry.name)) waiting.push(path);
    }
    if (paths.length > packLimits.files_max) break;
  }
  return paths;
}

/** What is submitted of a directory: in a git repository what git does not ignore, elsewhere all but `node_modules` and `.git`. */
export async function listFiles(directory: string): Promise<string[]> {
  return (await listWorkTree(directory, packLimits.files_max)) ?? (await listByWalk(directory));
}

/** The files and links among some paths; what was deleted or is a submodule or socket is left out. */
async function measure(directory: string, paths: string[]): Promise<Map<string, number>> {
  const sizes = new Map<string, number>();
  for (const path of paths) {
    const stats = await lstat(join(directory, path)).catch(() => undefined);
    if (stats?.isFile()) sizes.set(path, stats.size);
    else if (stats?.isSymbolicLink()) sizes.set(path, 0);
  }
  return sizes;
}

function biggest(sizes: Map<string, number>): string {
  const totals = new Map<string, number>();
  for (const [path, bytes] of sizes) {
    const top = path.split(/[\\/]/)[0] ?? path;
    totals.set(top, (totals.get(top) ?? 0) + bytes);
  }
  const largest = [...totals].sort(([, left], [, right]) => right - left).slice(0, 3);
  return `Largest: ${largest.map(([name, bytes]) => `${name} ${formatBytes(bytes)}`).join(", ")}.`;
}

const LEAVE_OUT = "Leave out what the build does not need, for example with a .gitignore.";

function checkTree(directory: string, sizes: Map<string, number>): void {
  if (sizes.size === 0) {
    throw new UsageError(`Nothing to pack in ${directory}.`, "node_modules and .git are left out.");
  }
  if (sizes.size > packLimits.files_max) {
    throw new UsageError(`${directory} has more than ${packLimits.files_max} files.`, LEAVE_OUT);
  }
  const bytes = [...sizes.values()].reduce((sum, size) => sum + size, 0);
  if (bytes > packLimits.tree_bytes_max) {
    const limit = formatBytes(packLimits.tree_bytes_max);
    throw new UsageError(
      `${directory} has ${formatBytes(bytes)}; at most ${limit} may be sent.`,
      biggest(sizes),
      LEAVE_OUT,
    );
  }
}

/** Refuse an archive the platform would refuse, before it is sent. */
export function checkArchive(name: string, bytes: number, ...hints: string[]): void {
  if (bytes <= packLimits.archive_bytes_max) return;
  const limit = formatBytes(packLimits.archive_bytes_max);
  throw new UsageError(`${name} is ${formatBytes(bytes)} packed; at most ${limit} may be sent.`, ...hints);
}

/**
 * A directory as tar.gz: the same files give the same bytes, on every machine and at any time.
 * In a git repository what git ignores is left out, without running git; elsewhere
 * `node_modules` and `.git`.
 * @throws UsageError when there is nothing to pack, or too much
 */
export async function packDirectory(path: string): Promise<PackedDirectory> {
  const directory = resolve(path);
  const paths = await listFiles(directory);
  const sizes = await measure(directory, paths);
  checkTree(directory, sizes);
  const sorted = [...sizes.keys()].map((name) => name.split(sep).join("/")).sort();
  const stream = create(
    { cwd: directory, gzip: { level: 6 }, portable: true, mtime: MTIME, noDirRecurse: true },
    // A leading "./" keeps tar from reading a name such as "@types" as an archive to include.
    sorted.map((name) => `./${name}`),
  );
  const parts: Buffer[] = [];
  for await (const part of stream) parts.push(Buffer.from(part));
  const archive = Buffer.concat(parts);
  checkArchive(basename(directory), archive.length, biggest(sizes), LEAVE_OUT);
  return { archive, files: sizes.size };
}
