import type { ConfinedCode } from "#lib/code/confined/confined-code.ts";
import { NOTHING_SHOWN } from "#lib/code/edits/apply-edits.ts";
import type { Tree } from "#lib/code/graph/read-tree.ts";
import { redactSecrets } from "#lib/platform/log/redact-secrets.ts";
import type { GraphConfig } from "#schemas/config/graph.ts";
import type { EditState } from "#schemas/edits.ts";
import { tokensAtMost } from "./money.ts";
import { type RankedFile, rankTree, repositoryMap } from "./rank-tree.ts";

export interface TreeView {
  text: string;
  /** What the model has been shown, for its edits. */
  state: EditState;
  /** Paths of the files that were shown, whole or in part. */
  shown: string[];
}

export interface TreePorts {
  code: Pick<ConfinedCode, "showFile">;
  /** As the index reads it. */
  readTree(directory: string): Promise<Tree>;
  graph: GraphConfig;
}

interface TreeTask {
  directory: string;
  /** What the files are ranked by: the task's words, and in a repair round what failed. */
  words: string;
  /** Files known to matter. */
  paths: ReadonlySet<string>;
  /** Room for the description, by `tokensAtMost`. */
  tokens_max: number;
}

/** A tree that is smaller is shown whole, whatever the words say. */
const WHOLE_TREE_BYTES_MAX = 16_000;
const PATHS_CHARACTERS_MAX = 6000;
/** Of the room, for one file that is shown whole. */
const FILE_SHARE = 0.4;
const LINES_AROUND = 25;
const PARTS_MAX = 4;
/** Files that hold secrets by their nature. */
const SECRET_FILE =
  /(?:^|\/)(?:\.env(?:\.(?!example$|sample$|template$)[\w.-]+)?|\.npmrc|\.netrc|\.pypirc|id_(?:rsa|dsa|ecdsa|ed25519)|.*\.(?:pem|key|p12|pfx|keystore|jks))$/i;

/**
 * What a model is shown of a tree: a map of it, the files that the task's words lead to, whole or around the lines
 * that were found, and the paths of the others. The search runs over the tree itself, read as the index reads it, so
 * that the same tree and words give the same view.
 *
 * @throws the codes of `ConfinedCode`
 */
export async function describeTree(task: TreeTask, { code, readTree, graph }: TreePorts): Promise<TreeView> {
  const tree = await readTree(task.directory);
  const { files, weights } = await rankTree(tree, task.words, task.paths, graph);
  const map = redactSecrets(repositoryMap(tree, weights));
  const view: TreeView = { text: "", state: NOTHING_SHOWN, shown: [] };
  const parts: string[] = [];
  let left = task.tokens_max - tokensAtMost(map) - PATHS_CHARACTERS_MAX - 1000;
  const file_max = Math.max(2000, Math.floor(left * FILE_SHARE));
  for (const file of wanted(files, tree)) {
    if (left < 200 || SECRET_FILE.test(file.path)) continue;
    const room = Math.min(left, file_max);
    const shown = await showRanked(task.directory, file, room, view.state, code);
    if (!shown) continue;
    parts.push(shown.text);
    left -= tokensAtMost(shown.text) + 1;
    view.state = shown.state;
    view.shown.push(file.path);
  }
  view.text = [
    ...(map === "" ? [] : ["## Map of the repository", "", map, ""]),
    "## Files",
    "",
    ...(parts.length > 0 ? parts : ["None is shown.", ""]),
    ...otherPaths(tree, view.shown),
  ].join("\n");
  return view;
}

/** Those that the words lead to; all of a small tree. */
function wanted(files: readonly RankedFile[], tree: Tree): readonly RankedFile[] {
  const bytes = tree.chunks.reduce((sum, { excerpt }) => sum + excerpt.length, 0);
  const scored = files.filter(({ score }) => score > 0);
  return bytes <= WHOLE_TREE_BYTES_MAX || scored.length === 0 ? files : scored;
}

interface ShownFile {
  text: string;
  state: EditState;
}

/** The file whole where it fits, else the parts that were found, else its beginning. */
async function showRanked(
  directory: string,
  file: RankedFile,
  tokens_max: number,
  state: EditState,
  code: TreePorts["code"],
): Promise<ShownFile | undefined> {
  const whole = await showPart(directory, file.path, { characters_max: tokens_max }, state, code);
  if (whole && !whole.is_part && tokensAtMost(whole.text) <= tokens_max) return whole;
  let shown: ShownFile | undefined;
  let left = tokens_max;
  for (const { from_line, to_line } of ranges(file)) {
    const options = { from_line, lines_max: to_line - from_line + 1, characters_max: Math.floor(left * 0.9) };
    const part = await showPart(directory, file.path, options, shown?.state ?? state, code);
    if (!part || tokensAtMost(part.text) > left) continue;
    left -= tokensAtMost(part.text);
    shown = { text: `${shown?.text ?? ""}${part.text}`, state: part.state };
  }
  return shown;
}

interface PartOptions {
  from_line?: number;
  lines_max?: number;
  characters_max?: number;
}

/** A file, or a part of it, under its path and in a fence that its own lines do not end. */
export async function showPart(
  directory: string,
  path: string,
  options: PartOptions,
  state: EditState,
  code: Pick<ConfinedCode, "showFile">,
): Promise<(ShownFile & { is_part: boolean }) | undefined> {
  if (SECRET_FILE.test(path)) return undefined;
  const view = await code.showFile(directory, path, state, options);
  if (view.kind === "refused") return undefined;
  const is_part = view.from_line > 1 || view.to_line < view.lines_total;
  const lines = is_part ? ` (lines ${view.from_line} to ${view.to_line} of ${view.lines_total})` : "";
  const ticks = view.text.match(/`{3,}/g)?.map(({ length }) => length) ?? [];
  const fence = "`".repeat(Math.max(3, ...ticks.map((length) => length + 1)));
  const ended = view.text === "" || view.text.endsWith("\n") ? view.text : `${view.text}\n`;
  const text = `### ${path}${lines}\n\n${fence}\n${redactSecrets(ended)}${fence}\n\n`;
  return { text, state: view.state, is_part };
}

/** The found lines with some around them, in order, those that touch as one. */
function ranges({ found }: RankedFile): { from_line: number; to_line: number }[] {
  const wide = (found.length > 0 ? found : [{ start_line: 1, end_line: 60 }])
    .slice(0, PARTS_MAX)
    .map(({ start_line, end_line }) => {
      return { from_line: Math.max(1, start_line - LINES_AROUND), to_line: end_line + LINES_AROUND };
    })
    .sort((a, b) => a.from_line - b.from_line);
  const joined: typeof wide = [];
  for (const range of wide) {
    const last = joined.at(-1);
    if (last && range.from_line <= last.to_line + 1) last.to_line = Math.max(last.to_line, range.to_line);
    else joined.push({ ...range });
  }
  return joined;
}

function otherPaths(tree: Tree, shown: readonly string[]): string[] {
  const seen = new Set(shown);
  const paths = [...tree.files, ...tree.skipped].map(({ path }) => path).filter((path) => !seen.has(path));
  if (paths.length === 0) return [];
  const listed: string[] = [];
  let characters = 0;
  for (const path of paths.sort()) {
    characters += path.length + 1;
    if (characters > PATHS_CHARACTERS_MAX) break;
    listed.push(path);
  }
  const more = paths.length - listed.length;
  return ["## Other files, not shown", "", ...listed, ...(more > 0 ? [`… and ${more} more`] : []), ""];
}
