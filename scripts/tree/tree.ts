import { readdirSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { pathToFileURL } from "node:url";

/** The repository as the checks see it. Paths are relative to the root, with forward slashes. */
export interface Tree {
  /** Every file of the project, sorted: nothing installed, generated at run time or hidden. */
  readonly files: readonly string[];
  /** Throws when the file is not there: ask `has` first. */
  read(path: string): string;
  has(path: string): boolean;
  /** The exports of a TypeScript module. */
  load(path: string): Promise<Record<string, unknown>>;
}

const SKIPPED = new Set(["node_modules", "coverage"]);
const HIDDEN_BUT_OURS = new Set([".ci", ".githooks"]);
const FILES_MAX = 20_000;

/** The tree below `root` on disk. Throws when it holds more than 20,000 files: then something is not ignored. */
export function diskTree(root: string): Tree {
  const files = walk(root, "").sort();
  const known = new Set(files);
  return {
    files,
    read: (path) => readFileSync(join(root, path), "utf8"),
    has: (path) => known.has(path),
    load: (path) => import(pathToFileURL(resolve(root, path)).href),
  };
}

function walk(root: string, start: string): string[] {
  const files: string[] = [];
  const folders = [start];
  for (let folder = folders.pop(); folder !== undefined; folder = folders.pop()) {
    for (const entry of readdirSync(join(root, folder), { withFileTypes: true })) {
      const path = folder === "" ? entry.name : `${folder}/${entry.name}`;
      if (entry.isFile()) files.push(path);
      if (entry.isDirectory() && isOurs(entry.name)) folders.push(path);
    }
    if (files.length > FILES_MAX) {
      throw new Error(`More than ${FILES_MAX} files below ${root}: move what is not source out of it.`);
    }
  }
  return files;
}

function isOurs(folder: string): boolean {
  return !SKIPPED.has(folder) && (!folder.startsWith(".") || HIDDEN_BUT_OURS.has(folder));
}
