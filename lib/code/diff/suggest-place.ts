import type { PathOptions } from "#lib/code/diff/diff-path.ts";
import { parseDiff } from "#lib/code/diff/parse-diff.ts";
import { readTree } from "#lib/code/diff/read-tree.ts";

const STRIP_MAX = 6;
/** Files of the diff that are looked for; more say nothing new. */
const PATHS_MAX = 200;
const DIRECTORIES_MAX = 1000;

/**
 * For a diff whose files are not in the tree: the `--strip` or `--directory` with which all of
 * them would be, as a sentence, or undefined when there is none.
 */
export async function suggestPlace(
  directory: string,
  diff: Uint8Array | string,
  options: PathOptions,
): Promise<string | undefined> {
  const paths = new Set((await readTree(directory)).keys());
  if (options.directory === undefined) {
    const found = commonDirectory(changedPaths(diff, options) ?? [], paths);
    if (found !== undefined) {
      return `All files that it changes are there below ${JSON.stringify(found)}: add --directory ${found} (\`directory\` in the API).`;
    }
  }
  for (let strip = 0; strip <= STRIP_MAX; strip++) {
    const changed = changedPaths(diff, { ...options, strip });
    if (changed?.length && changed.every((path) => paths.has(path))) {
      return `With --strip ${strip} (\`strip\` in the API) all files that it changes are there.`;
    }
  }
  return undefined;
}

/** Paths that must be there before the diff; undefined when the diff cannot be read so. */
function changedPaths(diff: Uint8Array | string, options: PathOptions): string[] | undefined {
  try {
    const files = parseDiff(diff, options).flat();
    const needed = files.filter(({ before_path, may_be_missing }) => before_path !== null && !may_be_missing);
    return needed.slice(0, PATHS_MAX).map(({ before_path }) => before_path ?? "");
  } catch {
    return undefined;
  }
}

/** The one directory below which all `wanted` paths are. */
function commonDirectory(wanted: readonly string[], paths: ReadonlySet<string>): string | undefined {
  const [first] = wanted;
  if (first === undefined) return undefined;
  const ending = `/${first}`;
  const directories: string[] = [];
  for (const path of paths) {
    if (path.endsWith(ending) && directories.length < DIRECTORIES_MAX)
      directories.push(path.slice(0, -ending.length));
  }
  const fitting = directories.filter((below) => wanted.every((path) => paths.has(`${below}/${path}`)));
  return fitting.length === 1 ? fitting[0] : undefined;
}
