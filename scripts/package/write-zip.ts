import { type Zippable, zipSync } from "fflate";

/** Files by path, with forward slashes. */
export type FileTree = ReadonlyMap<string, Uint8Array>;

/** The earliest a ZIP can say; it tells the time on the wall. */
const longAgo = () => new Date(1980, 0, 1);
const UNIX = 3;
/** Weights are noise to deflate: a tenth smaller, for ten seconds. */
const STORED = /\.safetensors$/;
/** A regular file that everybody may read: Lambda's own user is another than whoever made the archive. */
const READABLE = 0o100644 << 16;

/**
 * The files as one ZIP that depends on nothing but them: sorted, without times or owners, deflated by
 * code of a pinned version. So the same function is the same archive wherever and whenever it is made.
 */
export function writeZip(files: FileTree): Uint8Array {
  const entries: Zippable = {};
  for (const path of [...files.keys()].sort()) {
    const level = STORED.test(path) ? 0 : 9;
    entries[path] = [
      files.get(path) ?? new Uint8Array(),
      { mtime: longAgo(), os: UNIX, attrs: READABLE, level },
    ];
  }
  return zipSync(entries);
}
