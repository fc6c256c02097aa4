import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import type { Tree } from "../tree/tree.ts";

/** What should stand at `path`; no text means the file should not exist. */
export interface GeneratedFile {
  path: string;
  text?: string;
  /** What the file cannot say, a sentence each. */
  notes?: readonly string[];
}

/** Those of `wanted` that do not stand in the tree as they should. */
export function outdated(tree: Tree, wanted: readonly GeneratedFile[]): GeneratedFile[] {
  return wanted.filter(({ path, text }) =>
    text === undefined ? tree.has(path) : !tree.has(path) || tree.read(path) !== text,
  );
}

/** Writes, or removes, each file below `root`. */
export function writeGenerated(root: string, files: readonly GeneratedFile[]): void {
  for (const { path, text } of files) {
    const absolute = join(root, path);
    if (text === undefined) {
      rmSync(absolute);
      continue;
    }
    mkdirSync(dirname(absolute), { recursive: true });
    writeFileSync(absolute, text);
  }
}
