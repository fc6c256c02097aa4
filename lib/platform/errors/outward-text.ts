import { homedir, tmpdir } from "node:os";

const CHARACTERS_MAX = 2000;
/** What Node says of a file that it could not use: `ENOENT: no such file or directory, open '/…'`. */
const ERRNO_PATHS = /(\bE[A-Z0-9]+: [^,\n]+, \w+) '[^'\n]*'(?: -> '[^'\n]*')?/g;

/**
 * An error's text as it may leave the process, for answers, records and queues: of bounded length, without half
 * characters, and without paths of this machine, which tell a submitter how the worker is built.
 */
export function outwardText(text: string, characters_max = CHARACTERS_MAX): string {
  // Looked over only as far as it could stay, and a path at its end.
  const begin = text.slice(0, characters_max * 2).toWellFormed();
  const plain = ownPaths().reduce(
    (said, path) => said.replaceAll(path, "<path>"),
    begin.replace(ERRNO_PATHS, "$1"),
  );
  if (plain.length <= characters_max && begin.length === text.length) return plain;
  return `${plain.slice(0, characters_max).toWellFormed()}… (${text.length} characters)`;
}

/** Where this process keeps its code, its temporary files and its user's: with whatever follows in the path. */
function ownPaths(): RegExp[] {
  const roots = [process.cwd(), tmpdir(), homedir()].filter((root) => root.length > 1);
  return roots.map(
    (root) =>
      new RegExp(
        `(?:file://)?${root.replace(/[\\^$.*+?()[\]{}|]/g, "\\$&")}(?:/[^\\s'"\`,;:()<>]*)?(?![\\w.-])`,
        "g",
      ),
  );
}
