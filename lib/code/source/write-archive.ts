import { once } from "node:events";
import { createGzip, type Gzip } from "node:zlib";
import { Header, Pax } from "tar";
import type { SourceLimits } from "#lib/code/source/source-ports.ts";
import { RejectedInput } from "#lib/platform/errors/fault.ts";

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
  // A failure of the reader surfaces at the end; until then it must not count as unhandled.
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
