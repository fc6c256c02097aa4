import { once } from "node:events";
import { lstat, readdir, readFile, readlink } from "node:fs/promises";
import { join } from "node:path";
import { createGzip, type Gzip } from "node:zlib";
import { Header, Pax } from "tar";
import type { SourceLimits } from "#lib/code/source/source-ports.ts";
import { findEscapingLink, linkTargetProblem } from "#lib/code/tree/tree-link.ts";
import { byPath, isInGitDirectory, parentOf, treePathProblem } from "#lib/code/tree/tree-path.ts";
import { RejectedInput } from "#lib/platform/errors/fault.ts";

interface PackOptions {
  limits?: SourceLimits;
  signal?: AbortSignal;
}

type Found =
  | { kind: "file"; path: string; executable: boolean }
  | { kind: "symbolic link"; path: string; target: string }
  | { kind: "directory"; path: string };

/**
 * Packs a directory as a deterministic tar.gz that `unpackSource` takes: sorted, no owner and no
 * time, modes 644 and 755, `.git` left out at every level, directories named only when empty.
 *
 * @throws RejectedInput `SOURCE_PATH_UNSAFE`, `SOURCE_LINK_UNSAFE` (leads out of the tree),
 * `SOURCE_ENTRY_UNSUPPORTED` (a socket, a device …), `SOURCE_TOO_LARGE`, `SOURCE_TOO_MANY_FILES`
 */
export async function packDirectory(directory: string, options: PackOptions = {}): Promise<Buffer> {
  const found: Found[] = [];
  await walk(directory, "", found, options);
  found.sort(byPath);
  checkPackedLinks(found);
  return writeArchive(withContents(directory, found, options.signal), options.limits);
}

/**
 * Packs texts by path, as a submission contains them.
 *
 * @throws RejectedInput `SOURCE_PATH_UNSAFE`, naming the path and what is wrong with it
 */
export async function packFiles(
  files: Readonly<Record<string, string>>,
  limits?: SourceLimits,
): Promise<Buffer> {
  const paths = new Set(Object.keys(files));
  const directories = new Set<string>();
  const entries: ArchiveEntry[] = [];
  for (const [path, text] of Object.entries(files)) {
    checkTreePath(path);
    if (path.includes("\\")) throw unsafePath(path, "has a backslash; separate directories with `/`");
    if (isInGitDirectory(path)) throw unsafePath(path, "is in a `.git` directory, which is git's own");
    const above = fileAbove(path, paths, directories);
    if (above !== undefined)
      throw unsafePath(path, `lies below ${JSON.stringify(above)}, which is a file too`);
    entries.push({ kind: "file", path, executable: text.startsWith("#!"), bytes: Buffer.from(text) });
  }
  return writeArchive(entries.sort(byPath), limits);
}

/** The file that `path` lies below, if any. `directories` collects checked directories, so each is checked once. */
function fileAbove(path: string, files: ReadonlySet<string>, directories: Set<string>): string | undefined {
  for (let above = parentOf(path); above !== undefined; above = parentOf(above)) {
    if (files.has(above)) return above;
    if (directories.has(above)) return undefined;
    directories.add(above);
  }
  return undefined;
}

/** @throws RejectedInput `SOURCE_PATH_UNSAFE` */
export function checkTreePath(path: string): void {
  const problem = treePathProblem(path);
  if (problem !== undefined) throw unsafePath(path, problem);
}

/** @throws RejectedInput `SOURCE_LINK_UNSAFE` */
export function checkPackedLinks(found: Iterable<ArchiveEntry | Found>): void {
  const links = new Map<string, string>();
  for (const entry of found) {
    if (entry.kind !== "symbolic link") continue;
    const problem = linkTargetProblem(entry.target);
    if (problem !== undefined) throw unsafeLink(entry.path, entry.target, problem);
    links.set(entry.path, entry.target);
  }
  const escaping = findEscapingLink(links);
  if (escaping === undefined) return;
  throw unsafeLink(escaping, links.get(escaping) ?? "", "leads out of the tree");
}

function unsafeLink(path: string, target: string, problem: string): RejectedInput {
  return new RejectedInput(
    "SOURCE_LINK_UNSAFE",
    `Link ${JSON.stringify(path)} → ${JSON.stringify(target.slice(0, 200))} ${problem}. Replace it by what it points to, or make it relative within the tree.`,
  );
}

async function walk(root: string, below: string, found: Found[], options: PackOptions): Promise<void> {
  options.signal?.throwIfAborted();
  const names = await readdir(join(root, below));
  const files_max = options.limits?.tree_files_max ?? Number.POSITIVE_INFINITY;
  if (below !== "" && names.length === 0) found.push({ kind: "directory", path: below });
  for (const name of names) {
    if (name.toLowerCase() === ".git") continue;
    const path = below === "" ? name : `${below}/${name}`;
    checkTreePath(path);
    const stats = await lstat(join(root, path));
    if (stats.isDirectory()) await walk(root, path, found, options);
    else if (stats.isFile()) found.push({ kind: "file", path, executable: (stats.mode & 0o100) !== 0 });
    else if (stats.isSymbolicLink()) {
      found.push({ kind: "symbolic link", path, target: await readlink(join(root, path)) });
    } else throw unsupported(path);
    if (found.length > files_max) {
      throw new RejectedInput("SOURCE_TOO_MANY_FILES", `The source has more than ${files_max} files.`);
    }
  }
}

async function* withContents(
  root: string,
  found: Found[],
  signal: AbortSignal | undefined,
): AsyncGenerator<ArchiveEntry> {
  for (const entry of found) {
    signal?.throwIfAborted();
    yield entry.kind === "file" ? { ...entry, bytes: await readFile(join(root, entry.path)) } : entry;
  }
}

function unsafePath(path: string, problem: string): RejectedInput {
  return new RejectedInput(
    "SOURCE_PATH_UNSAFE",
    `Path ${JSON.stringify(path)} ${problem}. Give a relative path inside the tree, such as src/index.js.`,
  );
}

function unsupported(path: string): RejectedInput {
  return new RejectedInput(
    "SOURCE_ENTRY_UNSUPPORTED",
    `${JSON.stringify(path)} is neither a file, a directory nor a symbolic link. Remove it from the tree.`,
  );
}

export type ArchiveEntry =
  | { kind: "file"; path: string; executable: boolean; bytes: Uint8Array }
  | { kind: "symbolic link"; path: string; target: string }
  | { kind: "directory"; path: string };

const LIMITS_DEFAULT: SourceLimits = {
  source_bytes_max: 1024 ** 3,
  tree_bytes_max: 2 * 1024 ** 3,
  tree_files_max: 1_000_000,
};

/** Byte 9 of a gzip file names the operating system (RFC 1952); 255 is "unknown". */
const GZIP_SYSTEM_BYTE = 9;

/**
 * Makes a tar.gz of entries in the order given: no owner, no time, mode 644 or 755, so the same
 * entries give the same bytes (with the same zlib).
 *
 * @throws RejectedInput `SOURCE_TOO_LARGE`, `SOURCE_TOO_MANY_FILES`
 */
export async function writeArchive(
  entries: Iterable<ArchiveEntry> | AsyncIterable<ArchiveEntry>,
  limits: SourceLimits = LIMITS_DEFAULT,
): Promise<Buffer> {
  const gzip = createGzip({ level: 6 });
  const collected = collect(gzip, limits.source_bytes_max);
  // A failure here is rethrown by the `await` below; until then it must not count as unhandled.
  collected.catch(() => {});
  try {
    await writeEntries(entries, gzip, limits);
    gzip.end(Buffer.alloc(1024));
  } catch (error) {
    gzip.destroy();
    await collected.catch(() => {});
    throw error;
  }
  const archive = await collected;
  archive[GZIP_SYSTEM_BYTE] = 255;
  return archive;
}

async function writeEntries(
  entries: Iterable<ArchiveEntry> | AsyncIterable<ArchiveEntry>,
  gzip: Gzip,
  limits: SourceLimits,
): Promise<void> {
  let files = 0;
  let tree_bytes = 0;
  for await (const entry of entries) {
    files += 1;
    tree_bytes += entry.kind === "file" ? entry.bytes.length : 0;
    if (files > limits.tree_files_max) throw tooManyFiles(limits.tree_files_max, entry.path);
    if (tree_bytes > limits.tree_bytes_max) throw tooLarge(limits.tree_bytes_max, entry.path);
    for (const block of blocksOf(entry)) {
      if (gzip.destroyed) return;
      if (!gzip.write(block)) await Promise.race([once(gzip, "drain"), once(gzip, "close")]);
    }
  }
}

function blocksOf(entry: ArchiveEntry): Uint8Array[] {
  const bytes = entry.kind === "file" ? entry.bytes : new Uint8Array();
  const fields = {
    path: entry.kind === "directory" ? `${entry.path}/` : entry.path,
    mode: entry.kind === "file" && !entry.executable ? 0o644 : 0o755,
    uid: 0,
    gid: 0,
    size: bytes.length,
    mtime: new Date(0),
    ...(entry.kind === "symbolic link" ? { linkpath: entry.target } : {}),
  };
  const type =
    entry.kind === "file" ? "File" : entry.kind === "directory" ? "Directory" : ("SymbolicLink" as const);
  const header = new Header({ ...fields, type });
  const needs_extension = header.encode();
  const blocks: Uint8Array[] = needs_extension ? [new Pax(fields).encode()] : [];
  blocks.push(header.block ?? Buffer.alloc(512), bytes);
  const padding = (512 - (bytes.length % 512)) % 512;
  if (padding > 0) blocks.push(Buffer.alloc(padding));
  return blocks;
}

async function collect(gzip: Gzip, source_bytes_max: number): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let total = 0;
  for await (const chunk of gzip as AsyncIterable<Buffer>) {
    total += chunk.length;
    if (total > source_bytes_max) throw tooLarge(source_bytes_max, "the packed archive");
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

function tooLarge(bytes_max: number, at: string): RejectedInput {
  return new RejectedInput(
    "SOURCE_TOO_LARGE",
    `The source is larger than ${bytes_max} bytes (reached at ${at}). Leave out build output and dependencies, or raise the limits in configs/sandbox_limits.json.`,
  );
}

function tooManyFiles(files_max: number, at: string): RejectedInput {
  return new RejectedInput(
    "SOURCE_TOO_MANY_FILES",
    `The source has more than ${files_max} files (reached at ${at}). Leave out build output and dependencies, or raise tree_files_max in configs/sandbox_limits.json.`,
  );
}
