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
import { createGunzip } from "node:zlib";
import { Parser, type ReadEntry } from "tar";
import type { SourceLimits } from "#lib/code/source/source-ports.ts";
import { findEscapingLink, linkTargetProblem } from "#lib/code/tree/tree-link.ts";
import { parentOf, treePathProblem } from "#lib/code/tree/tree-path.ts";
import { RejectedInput, TerminalFault } from "#lib/platform/errors/fault.ts";

/**
 * Unpacks a tar.gz into an empty (or absent) directory. The whole archive is checked first, so an
 * unsafe one leaves nothing behind. Files get mode 644 or 755 and nothing else of their mode or
 * owner; hard links become copies; no write ever goes through a link.
 *
 * Paths are kept, with one exception: when everything lies below a single top directory
 * `package/` with a `package.json`, as `npm pack` makes it, that directory is removed from the paths.
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

/** Links are written last, so that no write goes through a link even where file names ignore case. */
function writeLinks(plan: ArchivePlan, directory: string): void {
  for (const entry of plan.entries.values()) {
    if (entry.kind !== "hard link") continue;
    copyFileSync(join(directory, entry.target), join(directory, entry.path), constants.COPYFILE_EXCL);
  }
  for (const entry of plan.entries.values()) {
    if (entry.kind === "symbolic link") symlinkSync(entry.target, join(directory, entry.path));
  }
}

type PlannedEntry =
  | { kind: "directory"; path: string }
  | { kind: "file"; path: string; executable: boolean; bytes: number }
  | { kind: "symbolic link"; path: string; target: string }
  | { kind: "hard link"; path: string; target: string; bytes: number };

/** The tree that an archive unpacks to, checked completely before anything is written. */
interface ArchivePlan {
  /** Every path of the tree once, parents before children. */
  entries: Map<string, PlannedEntry>;
  /** The path of each archive entry, in the archive's order. */
  order: string[];
}

/**
 * Reads an archive's headers and plans the tree it unpacks to.
 *
 * @throws RejectedInput with the `ARCHIVE_…` codes that `unpackSource` lists.
 */
async function planArchive(bytes: Uint8Array, limits: SourceLimits): Promise<ArchivePlan> {
  const plan: ArchivePlan = { entries: new Map(), order: [] };
  let tree_bytes = 0;
  await readArchive(bytes, streamBytesMax(limits), (entry) => {
    const planned = classify(entry, plan.entries);
    plan.order.push(planned.path);
    if (planned.path !== "") place(planned, plan.entries);
    tree_bytes += "bytes" in planned ? planned.bytes : 0;
    checkSize(planned.path, plan.entries.size, tree_bytes, limits);
    entry.resume();
  });
  if (![...plan.entries.values()].some((entry) => entry.kind !== "directory")) throw empty();
  const stripped = stripPackageDirectory(plan);
  checkLinks(stripped);
  return stripped;
}

/** Limit of the decompressed stream: headers and padding are added to the files' bytes. */
function streamBytesMax(limits: SourceLimits): number {
  return limits.tree_bytes_max + limits.tree_files_max * 4096 + 1024 * 1024;
}

function classify(entry: ReadEntry, entries: ReadonlyMap<string, PlannedEntry>): PlannedEntry {
  const path = normalPath(entry.path, "ARCHIVE_UNSAFE_PATH", entry.path);
  switch (entry.type) {
    case "File":
    case "OldFile":
    case "ContiguousFile":
      if (path === "") throw unsafePath(entry.path, "names the tree's root but is a file");
      return { kind: "file", path, executable: ((entry.mode ?? 0) & 0o100) !== 0, bytes: entry.size };
    case "Directory":
      return { kind: "directory", path };
    case "SymbolicLink":
      if (path === "") throw unsafePath(entry.path, "names the tree's root but is a link");
      return { kind: "symbolic link", path, target: symbolicTarget(entry) };
    case "Link": {
      const target = normalPath(entry.linkpath ?? "", "ARCHIVE_UNSAFE_LINK", entry.path);
      const file = entries.get(target);
      if (path === "" || (file?.kind !== "file" && file?.kind !== "hard link")) {
        throw unsafeLink(entry.path, entry.linkpath, "is a hard link to something not unpacked before it");
      }
      return { kind: "hard link", path, target, bytes: file.bytes };
    }
    default:
      throw new RejectedInput(
        "ARCHIVE_UNSAFE_ENTRY",
        `Entry ${JSON.stringify(entry.path)} is a ${entry.type}. Pack plain files, directories and symbolic links only.`,
      );
  }
}

function normalPath(raw: string, code: string, entry_path: string): string {
  const segments = raw.split("/");
  const path = segments.filter((segment) => segment !== "" && segment !== ".").join("/");
  const problem = raw.startsWith("/") ? "is absolute" : path === "" ? undefined : treePathProblem(path);
  if (problem === undefined) return path;
  if (code === "ARCHIVE_UNSAFE_LINK") throw unsafeLink(entry_path, raw, problem);
  throw unsafePath(raw, problem);
}

function symbolicTarget(entry: ReadEntry): string {
  const target = entry.linkpath ?? "";
  const problem = linkTargetProblem(target);
  if (problem !== undefined) throw unsafeLink(entry.path, target, problem);
  return target;
}

function place(planned: PlannedEntry, entries: Map<string, PlannedEntry>): void {
  const missing: string[] = [];
  // The parents of a known directory are known, so the walk up stops there.
  for (let path = parentOf(planned.path); path !== undefined; path = parentOf(path)) {
    const above = entries.get(path);
    if (above?.kind === "directory") break;
    if (above) throw unsafePath(planned.path, `lies below ${JSON.stringify(path)}, which is a ${above.kind}`);
    missing.push(path);
  }
  for (const path of missing.reverse()) entries.set(path, { kind: "directory", path });
  const same = entries.get(planned.path);
  if (same === undefined) entries.set(planned.path, planned);
  else if (same.kind !== "directory" || planned.kind !== "directory") {
    throw unsafePath(planned.path, "is in the archive twice");
  }
}

function checkSize(path: string, files: number, tree_bytes: number, limits: SourceLimits): void {
  if (files > limits.tree_files_max) {
    throw new RejectedInput(
      "ARCHIVE_TOO_MANY_FILES",
      `The archive has more than ${limits.tree_files_max} files, links and directories (reached at ${JSON.stringify(path)}). Leave out build output and dependencies, or raise tree_files_max in configs/sandbox_limits.json.`,
    );
  }
  if (tree_bytes > limits.tree_bytes_max) {
    throw new RejectedInput(
      "ARCHIVE_TOO_LARGE",
      `The archive unpacks to more than ${limits.tree_bytes_max} bytes (reached at ${JSON.stringify(path)}). Leave out build output and dependencies, or raise tree_bytes_max in configs/sandbox_limits.json.`,
    );
  }
}

/** `npm pack` puts everything below `package/`, which is not part of the project's tree. */
function stripPackageDirectory(plan: ArchivePlan): ArchivePlan {
  const is_package =
    plan.entries.get("package/package.json")?.kind === "file" &&
    [...plan.entries.keys()].every((path) => path === "package" || path.startsWith("package/"));
  if (!is_package) return plan;
  const strip = (path: string) => path.slice("package/".length);
  const entries = new Map<string, PlannedEntry>();
  for (const [path, entry] of plan.entries) {
    if (path === "package") continue;
    const moved = { ...entry, path: strip(path) };
    entries.set(moved.path, moved.kind === "hard link" ? { ...moved, target: strip(moved.target) } : moved);
  }
  return { entries, order: plan.order.map(strip) };
}

function checkLinks(plan: ArchivePlan): void {
  const links = new Map<string, string>();
  for (const entry of plan.entries.values()) {
    if (entry.kind === "symbolic link") links.set(entry.path, entry.target);
  }
  const escaping = findEscapingLink(links);
  if (escaping !== undefined) throw unsafeLink(escaping, links.get(escaping), "leads out of the tree");
}

function unsafePath(path: string, problem: string): RejectedInput {
  return new RejectedInput(
    "ARCHIVE_UNSAFE_PATH",
    `Entry ${quoted(path)} ${problem}. ${/character|UTF-8|longer/.test(problem) ? "Rename it, or leave it out." : "Pack the tree with relative paths, each once."}`,
  );
}

function unsafeLink(path: string, target: string | undefined, problem: string): RejectedInput {
  return new RejectedInput(
    "ARCHIVE_UNSAFE_LINK",
    `Link ${quoted(path)} → ${quoted(target ?? "")} ${problem}. Links must stay inside the tree.`,
  );
}

/** Quotes a text for an error message and cuts it to 200 characters. */
function quoted(text: string): string {
  return JSON.stringify(text.length > 200 ? `${text.slice(0, 200)}…` : text);
}

function empty(): RejectedInput {
  return new RejectedInput(
    "ARCHIVE_EMPTY",
    "The archive holds no file. Pack the directory that has the code.",
  );
}

/**
 * Streams the entries of a tar.gz. Never holds more than one chunk decompressed.
 *
 * @param bytes_max decompressed bytes, headers and padding included
 * @param onEntry gets each entry once, in order, and must consume it before it returns (`resume` or "data")
 *
 * @throws RejectedInput `ARCHIVE_CORRUPT` (not gzip, cut off, not a tar), `ARCHIVE_TOO_LARGE`
 * (decompressed past `bytes_max`), `ARCHIVE_UNSAFE_ENTRY` (an entry of a kind no tree has).
 */
async function readArchive(
  bytes: Uint8Array,
  bytes_max: number,
  onEntry: (entry: ReadEntry) => void,
): Promise<void> {
  const state = { failure: undefined as unknown, ended: false };
  const parser = tarParser(onEntry, state);
  const gunzip = createGunzip({ chunkSize: 64 * 1024 });
  gunzip.end(bytes);
  let bytes_read = 0;
  try {
    for await (const chunk of gunzip as AsyncIterable<Buffer>) {
      if (bytes_read === 0 && chunk[0] === 0x1f && chunk[1] === 0x8b) throw compressedTwice();
      bytes_read += chunk.length;
      if (bytes_read > bytes_max) throw tooLarge(bytes_max);
      // Data after the end-of-archive marker is read for the gzip checksum but is not part of the tar.
      if (!state.ended) parser.write(chunk);
      if (state.failure !== undefined) throw state.failure;
    }
  } catch (error) {
    throw isZlibError(error) ? corrupt(`it is not a whole gzip file (${error.message})`, error) : error;
  }
  parser.end();
  if (state.failure !== undefined) throw state.failure;
}

function tarParser(onEntry: (entry: ReadEntry) => void, state: { failure: unknown; ended: boolean }): Parser {
  const parser = new Parser({ strict: true, zstd: false });
  const fail = (error: unknown) => {
    state.failure ??= error;
  };
  parser.on("error", (error: Error) => {
    // After the end marker the only possible error is an archive without entries, reported elsewhere.
    if (!state.ended) fail(corrupt(`it is not a whole tar (${error.message})`, error));
  });
  parser.on("eof", () => {
    state.ended = true;
  });
  parser.on("ignoredEntry", (entry: ReadEntry) =>
    fail(
      new RejectedInput(
        "ARCHIVE_UNSAFE_ENTRY",
        `Entry ${JSON.stringify(entry.path)} is of type ${entry.type}, which no source tree has. Pack plain files, directories and symbolic links only.`,
      ),
    ),
  );
  parser.on("entry", (entry: ReadEntry) => {
    try {
      if (state.failure === undefined) onEntry(entry);
      else entry.resume();
    } catch (error) {
      fail(error);
      entry.resume();
    }
  });
  return parser;
}

function corrupt(reason: string, cause: unknown): RejectedInput {
  return new RejectedInput(
    "ARCHIVE_CORRUPT",
    `The archive cannot be read: ${reason}. Send a tar compressed with gzip.`,
    {
      cause,
    },
  );
}

function compressedTwice(): RejectedInput {
  return corrupt("it is gzip within gzip", undefined);
}

function tooLarge(bytes_max: number): RejectedInput {
  return new RejectedInput(
    "ARCHIVE_TOO_LARGE",
    `The archive decompresses to more than ${bytes_max} bytes. Leave out build output and dependencies, or raise tree_bytes_max in configs/sandbox_limits.json.`,
  );
}

function isZlibError(error: unknown): error is Error {
  return error instanceof Error && "code" in error && /^Z_|^ERR_ZLIB|^ERR_TRAILING/.test(String(error.code));
}
