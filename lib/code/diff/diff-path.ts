import { isUtf8 } from "node:buffer";
import { malformed, pathUnsafe, shownText } from "#lib/code/diff/file-diff.ts";
import { isInGitDirectory, treePathProblem } from "#lib/code/tree/tree-path.ts";

/** How the names in a diff become paths of the tree. */
export interface PathOptions {
  /** Leading parts taken off each name, as `patch -p`; found out from the names when absent. */
  strip?: number | undefined;
  /** Directory of the tree that the names are relative to. */
  directory?: string | undefined;
}

const ESCAPES: Record<string, number> = {
  a: 0x07,
  b: 0x08,
  t: 0x09,
  n: 0x0a,
  v: 0x0b,
  f: 0x0c,
  r: 0x0d,
  '"': 0x22,
  "\\": 0x5c,
};
/** What NTFS and HFS+ take for `.git`: case, trailing dots and blanks, the short name, streams. */
const GIT_LOOKALIKE = /^(?:\.git|git~1)[ .]*(?:[\\:].*)?$/i;
const HFS_IGNORED = /[\u200c-\u200f\u202a-\u202e\u206a-\u206f\ufeff]/g;

/** A path as git writes it in a header: quoted when a space or a special character is in it. */
export function quotePath(path: string): string {
  const escaped = path.replace(/["\\]/g, "\\$&");
  return escaped !== path || path.includes(" ") ? `"${escaped}"` : path;
}

/**
 * Reads one C-quoted name from the start of `text` (git's quote.c: `\"`, `\\`, `\n`, octal bytes).
 *
 * @returns the name's bytes as Latin-1 and the text after it, or undefined when the quoting is broken
 */
function unquoteName(text: string): { name: string; rest: string } | undefined {
  const parts: string[] = [];
  for (let index = 1; index < text.length; index++) {
    const character = text.charAt(index);
    if (character === '"') return { name: parts.join(""), rest: text.slice(index + 1) };
    if (character !== "\\") {
      parts.push(character);
      continue;
    }
    const octal = /^[0-3][0-7]{2}/.exec(text.slice(index + 1, index + 4))?.[0];
    const escaped = octal === undefined ? ESCAPES[text.charAt(index + 1)] : Number.parseInt(octal, 8);
    if (escaped === undefined) return undefined;
    parts.push(String.fromCharCode(escaped));
    index += octal === undefined ? 1 : 3;
  }
  return undefined;
}

/** A header's name, quoted or not, as Latin-1. @throws RejectedInput `DIFF_MALFORMED` */
export function readName(text: string, line: number): string {
  if (!text.startsWith('"')) return text;
  const unquoted = unquoteName(text);
  if (unquoted === undefined) throw malformed(line, "the quoted name is broken");
  return unquoted.name;
}

/** The two names in `a/x b/x`, which may have blanks in them, so that only their agreement parts them. */
export function splitGitNames(
  names: string,
  strip: number | undefined,
): { before: string; after: string } | undefined {
  const agree = (before: string, after: string) =>
    agreedName(before, after, strip, true) === undefined ? undefined : { before, after };
  if (names.startsWith('"')) {
    const first = unquoteName(names);
    if (first === undefined || !first.rest.startsWith(" ")) return undefined;
    const second = first.rest.slice(1);
    return agree(first.name, second.startsWith('"') ? (unquoteName(second)?.name ?? "") : second);
  }
  const quoted = names.indexOf(' "');
  if (quoted >= 0 && names.endsWith('"')) {
    const after = unquoteName(names.slice(quoted + 1))?.name;
    return after === undefined ? undefined : agree(names.slice(0, quoted), after);
  }
  // Both names are as long as one another but for a prefix, so few blanks can part them.
  for (let blank = names.indexOf(" "); blank >= 0; blank = names.indexOf(" ", blank + 1)) {
    if (Math.abs(names.length - 1 - 2 * blank) > PREFIX_DIFFERENCE_MAX) continue;
    const found = agree(names.slice(0, blank), names.slice(blank + 1));
    if (found !== undefined) return found;
  }
  return undefined;
}
/** How much longer one prefix of `diff --git` may be than the other; git's own are one letter. */
const PREFIX_DIFFERENCE_MAX = 64;

/** `name` without its first `count` parts, or undefined when it has no more than these. */
export function stripParts(name: string, count: number): string | undefined {
  let start = 0;
  for (let part = 0; part < count; part++) {
    start = name.indexOf("/", start) + 1;
    if (start === 0) return undefined;
  }
  return name.slice(start);
}

/**
 * How many parts two names that mean one file have before its path: none when they are the same
 * (`git diff --no-prefix`), one when their first parts differ (`a/x` and `b/x`, `old/x` and `new/x`).
 */
function guessedStrip(before: string, after: string): number {
  if (before === after || !before.includes("/") || !after.includes("/")) return 0;
  return before.slice(0, before.indexOf("/")) === after.slice(0, after.indexOf("/")) ? 0 : 1;
}

/**
 * What two names agree on. In a plain diff one may go on where the other ends (`x.orig` and `x`):
 * the shorter is the file, as `git apply` and `patch` have it.
 */
export function agreedName(
  before: string,
  after: string,
  strip: number | undefined,
  exactly: boolean,
): { name: string; strip: number } | undefined {
  const count = strip ?? guessedStrip(before, after);
  const left = stripParts(before, count);
  const right = stripParts(after, count);
  if (left === undefined || right === undefined || left === "" || right === "") return undefined;
  if (left === right) return { name: left, strip: count };
  if (exactly) return undefined;
  if (left.startsWith(right)) return { name: right, strip: count };
  return right.startsWith(left) ? { name: left, strip: count } : undefined;
}

/**
 * A stripped name as a path of the tree.
 *
 * @throws RejectedInput `DIFF_PATH_UNSAFE` (absolute, `..`, in `.git`, not UTF-8)
 */
export function treePath(name: string, directory: string | undefined): string {
  const bytes = Buffer.from(name, "latin1");
  if (!isUtf8(bytes)) throw pathUnsafe(shownText(name), "is not valid UTF-8");
  const below = bytes.toString("utf8");
  const problem = treePathProblem(below);
  if (problem !== undefined) throw pathUnsafe(below, problem);
  const above = directory?.replace(/^(?:\.\/)*\.?$|^(?:\.\/)+|(?<=.)\/+$/g, "") ?? "";
  const path = above === "" ? below : `${above}/${below}`;
  const problem_below = changedPathProblem(path);
  if (problem_below !== undefined) throw pathUnsafe(path, problem_below);
  return path;
}

/** Why no change may touch `path`, as the end of a sentence: it leaves the tree or is in a `.git` directory. */
export function changedPathProblem(path: string): string | undefined {
  const is_git = (part: string) => GIT_LOOKALIKE.test(part.replace(HFS_IGNORED, ""));
  const problem = treePathProblem(path);
  if (problem !== undefined) return problem;
  return isInGitDirectory(path) || path.split("/").some(is_git) ? "is in a `.git` directory" : undefined;
}
