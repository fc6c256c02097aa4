import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import { sha256 } from "#lib/platform/hash/sha256.ts";

/** Folders that hold no source of the repository's own. */
const SKIPPED = new Set([".git", ".hg", ".svn", "node_modules", "dist", "coverage", "__pycache__", ".venv"]);
const DEPTH_MAX = 64;

/** Paths of the regular files below `directory`, with `/`, sorted. Symbolic links are not followed. */
export async function walkTree(directory: string): Promise<string[]> {
  const paths: string[] = [];
  const open: { path: string; depth: number }[] = [{ path: "", depth: 0 }];
  for (let folder = open.pop(); folder; folder = open.pop()) {
    for (const entry of await readdir(join(directory, folder.path), { withFileTypes: true })) {
      const path = folder.path === "" ? entry.name : `${folder.path}/${entry.name}`;
      if (entry.isFile()) paths.push(path);
      const enter = entry.isDirectory() && !SKIPPED.has(entry.name) && folder.depth < DEPTH_MAX;
      if (enter) open.push({ path, depth: folder.depth + 1 });
    }
  }
  return paths.sort((a, b) => (a < b ? -1 : 1));
}

export interface TreeFile {
  sha256: string;
  /** Absent when there is none to index, for the reason given. */
  text?: string;
  reason?: string;
}

const LOCK_FILE =
  /(^|\/)(package-lock\.json|npm-shrinkwrap\.json|yarn\.lock|pnpm-lock\.yaml|Cargo\.lock|poetry\.lock|go\.sum)$/;
const BINARY_PROBE_BYTES = 8192;
const LINE_CHARACTERS_MEAN_MAX = 400;

/** One file's hash, and its text unless it is too large, binary or written by a machine. */
export async function readTreeFile(
  directory: string,
  path: string,
  bytes: number,
  file_bytes_max: number,
): Promise<TreeFile> {
  if (bytes > file_bytes_max) {
    const hash = createHash("sha256");
    await pipeline(createReadStream(join(directory, path)), hash);
    return { sha256: hash.digest("hex"), reason: `over ${file_bytes_max} bytes` };
  }
  const content = await readFile(join(directory, path));
  const file = { sha256: sha256(content) };
  if (content.subarray(0, BINARY_PROBE_BYTES).includes(0)) return { ...file, reason: "binary" };
  if (LOCK_FILE.test(path)) return { ...file, reason: "lock file" };
  const text = content.toString("utf8");
  const lines = text.split("\n").length;
  if (text.length > 4096 && text.length / lines > LINE_CHARACTERS_MEAN_MAX) {
    return { ...file, reason: "minified or generated" };
  }
  return { ...file, text };
}
