import { chmodSync, mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { readTree } from "#lib/code/diff/read-tree.ts";

/** Files by path: a text, bytes, an executable text (`x:…`) or a link (`->target`). */
export type FileTree = Record<string, string | Buffer>;

/** Writes a tree as git would check it out. */
export function writeFileTree(directory: string, files: FileTree): string {
  mkdirSync(directory, { recursive: true });
  for (const [path, content] of Object.entries(files)) {
    const file = join(directory, path);
    mkdirSync(dirname(file), { recursive: true });
    if (typeof content === "string" && content.startsWith("->")) symlinkSync(content.slice(2), file);
    else {
      writeFileSync(file, content);
      chmodSync(file, typeof content === "string" && content.startsWith("x:") ? 0o755 : 0o644);
    }
  }
  return directory;
}

/** What stands in a directory: mode and bytes by path. */
export async function fileTreeOf(directory: string): Promise<Record<string, string>> {
  const tree = await readTree(directory);
  const entries = [...tree].map(([path, file]) => [path, `${file.mode} ${file.read().toString("latin1")}`]);
  return Object.fromEntries(entries.sort());
}
