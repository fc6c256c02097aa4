import { lstat, readdir, readFile, readlink } from "node:fs/promises";
import { join } from "node:path";
import type { SourceLimits } from "#lib/code/source/source-ports.ts";
import { type ArchiveEntry, writeArchive } from "#lib/code/source/write-archive.ts";
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
 * Packs texts given by path, as a submission carries them.
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
    if (path.includes("\\")) throw unsafePath(path, "has a backslash; part directories with `/`");
    if (isInGitDirectory(path)) throw unsafePath(path, "is in a `.git` directory, which is git's own");
    const above = fileAbove(path, paths, directories);
    if (above !== undefined)
      throw unsafePath(path, `lies below ${JSON.stringify(above)}, which is a file too`);
    entries.push({ kind: "file", path, executable: text.startsWith("#!"), bytes: Buffer.from(text) });
  }
  return writeArchive(entries.sort(byPath), limits);
}

/** A file that `path` lies below. Directories that lie below none are kept, and not looked at again. */
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
