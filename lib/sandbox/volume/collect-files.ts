import { type BigIntStats, constants } from "node:fs";
import { lstat, open, readdir } from "node:fs/promises";
import { join } from "node:path";
import { printable } from "#lib/platform/log/printable.ts";

interface CollectedFile {
  /** Safe in logs, URLs and object keys, and unique in the collection. */
  name: string;
  bytes: Buffer;
}

export interface Collection {
  files: CollectedFile[];
  /** Files that were not taken, with the reason. */
  left_out: { name: string; why: string }[];
}

const FILES_MAX = 50;
const FILE_BYTES_MAX = 16 * 1024 * 1024;
const TOTAL_BYTES_MAX = 64 * 1024 * 1024;
const LEFT_OUT_MAX = 50;
const NAME_CHARACTERS_MAX = 100;
const DEPTH_MAX = 8;

/**
 * Takes the files that an untrusted command left in a directory `below` a trusted one: regular files only, no link
 * followed, no file opened that could block, at most a fixed number of files and bytes. Call it when no process of the
 * command is alive.
 */
export async function collectFiles(root: string, below: readonly string[] = []): Promise<Collection> {
  const collection: Collection = { files: [], left_out: [] };
  const directory = join(root, ...below);
  if (!(await leadsThroughDirectories(root, below))) return collection;
  const names = new Set<string>();
  let room = TOTAL_BYTES_MAX;
  const leaveOut = (path: string, why: string) => {
    if (collection.left_out.length < LEFT_OUT_MAX) collection.left_out.push({ name: printable(path), why });
  };
  const take = async (path: string) => {
    const stat = await lstat(join(directory, path), { bigint: true });
    const why = refusal(stat, room, collection.files.length);
    if (why) return leaveOut(path, why);
    const bytes = await readRegular(join(directory, path), stat);
    if (!bytes) return leaveOut(path, "it changed while it was read");
    const name = uniqueName(path, names);
    room -= bytes.length;
    collection.files.push({ name, bytes });
  };
  for (const path of await listed(directory, leaveOut)) {
    await take(path).catch(() => leaveOut(path, "it cannot be read"));
  }
  return collection;
}

async function leadsThroughDirectories(root: string, below: readonly string[]): Promise<boolean> {
  for (let depth = 0; depth <= below.length; depth++) {
    const stat = await lstat(join(root, ...below.slice(0, depth))).catch(() => null);
    if (!stat?.isDirectory()) return false;
  }
  return true;
}

async function listed(root: string, leaveOut: (path: string, why: string) => void): Promise<string[]> {
  const found: string[] = [];
  const waiting = [{ path: "", depth: 0 }];
  for (let next = waiting.pop(); next && found.length <= FILES_MAX + LEFT_OUT_MAX; next = waiting.pop()) {
    const { path, depth } = next;
    const entries = await readdir(join(root, path), { withFileTypes: true }).catch(() => []);
    for (const entry of entries.slice(0, FILES_MAX + LEFT_OUT_MAX + 1)) {
      const below = path === "" ? entry.name : `${path}/${entry.name}`;
      if (!entry.isDirectory()) found.push(below);
      else if (depth < DEPTH_MAX) waiting.push({ path: below, depth: depth + 1 });
      else leaveOut(below, `it lies deeper than ${DEPTH_MAX} directories`);
    }
  }
  return found.sort();
}

function refusal(stat: BigIntStats, room: number, taken: number): string | null {
  if (stat.isSymbolicLink()) return "it is a link";
  if (!stat.isFile()) return "it is no regular file";
  if (taken >= FILES_MAX) return `there are more than ${FILES_MAX} files`;
  if (stat.size > FILE_BYTES_MAX) return `it is larger than ${FILE_BYTES_MAX} bytes`;
  return stat.size > room ? `all files together are larger than ${TOTAL_BYTES_MAX} bytes` : null;
}

async function readRegular(path: string, expected: BigIntStats): Promise<Buffer | null> {
  const file = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  try {
    const stat = await file.stat({ bigint: true });
    if (!stat.isFile() || stat.ino !== expected.ino || stat.size !== expected.size) return null;
    const bytes = await file.readFile();
    return BigInt(bytes.length) === expected.size ? bytes : null;
  } finally {
    await file.close();
  }
}

/** `a/b c.txt` becomes `a-b_c.txt`: letters, digits, `.`, `_` and `-` only, no dot in front. */
function uniqueName(path: string, taken: Set<string>): string {
  const plain = path.replaceAll("/", "-").replace(/[^A-Za-z0-9._-]/g, "_");
  const base = plain.replace(/^[.-]+/, "_").slice(-NAME_CHARACTERS_MAX);
  let name = base;
  for (let copy = 2; taken.has(name.toLowerCase()); copy++) name = `${copy}-${base}`;
  taken.add(name.toLowerCase());
  return name;
}
