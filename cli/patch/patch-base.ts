import { readdir } from "node:fs/promises";
import { join, relative, sep } from "node:path";
import { type DiskKind, diskKind, type FileState, readFileState } from "#lib/code/diff/read-tree.ts";
import { listFiles } from "../pack-directory.ts";

/** The tree that a patch is applied to. Paths have slashes, and are relative to where the source was submitted from. */
export interface PatchBase {
  /** For messages, as in "in the working tree". */
  readonly name: string;
  kind(path: string): Promise<DiskKind>;
  /** Undefined where no file and no link is. */
  read(path: string): Promise<FileState | undefined>;
  /** The files and links below a directory. */
  below(path: string): Promise<string[]>;
  /** All links with their targets, of what would be submitted. */
  links(): Promise<Map<string, string>>;
}

/** A directory on disk. */
export function workingTree(directory: string): PatchBase {
  const slashes = (path: string) => path.split(sep).join("/");
  return {
    name: "the working tree",
    kind: (path) => diskKind(directory, path),
    read: (path) => readFileState(directory, path),
    async below(path) {
      const entries = await readdir(join(directory, path), { recursive: true, withFileTypes: true });
      const files = entries.filter((entry) => !entry.isDirectory());
      return files.map((entry) => slashes(relative(directory, join(entry.parentPath, entry.name))));
    },
    async links() {
      const links = new Map<string, string>();
      for (const path of (await listFiles(directory)).map(slashes)) {
        const state = await readFileState(directory, path).catch(() => undefined);
        if (state?.mode === "120000") links.set(path, state.bytes.toString("utf8"));
      }
      return links;
    },
  };
}
