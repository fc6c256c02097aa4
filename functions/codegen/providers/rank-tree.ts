import type { Tree } from "#lib/code/graph/read-tree.ts";
import { rank } from "#lib/code/graph/search.ts";
import type { Snapshot } from "#lib/code/graph/snapshot.ts";
import { snapshotSearchIndex } from "#lib/code/graph/snapshot-search-index.ts";
import type { GraphConfig } from "#schemas/config/graph.ts";

/** A file of the tree, and how much it has to do with the task. */
export interface RankedFile {
  path: string;
  score: number;
  /** The lines of its chunks that were found, best first. */
  found: { start_line: number; end_line: number }[];
}

export interface RankedTree {
  /** Every indexed file, the best first; a score of 0 means that nothing speaks for it. */
  files: RankedFile[];
  /** The importance of each file in the graph of imports and calls, in the order of `tree.files`. */
  weights: number[];
}

type SearchSettings = Pick<GraphConfig, "meaning_weight" | "candidates">;

const HITS_MAX = 60;
/** Of a found file's score, for a file that it imports or calls, or that imports or calls it. */
const NEIGHBOUR_SHARE = 0.25;
/** A path that the task names outweighs any words. */
const NAMED_SCORE = 10;

/**
 * Ranks the files of a tree by a task's words: by the search that answers queries over the index (names and words),
 * by paths that the words contain, and by what the found files import and call. `paths` are of files known to
 * matter, as those that an earlier round changed.
 */
export async function rankTree(
  tree: Tree,
  words: string,
  paths: ReadonlySet<string>,
  settings: SearchSettings,
): Promise<RankedTree> {
  const scores = new Array<number>(tree.files.length).fill(0);
  const found = tree.files.map((): RankedFile["found"] => []);
  const index = snapshotSearchIndex(snapshotOf(tree));
  const hits = await rank(index, { text: words, limit: HITS_MAX }, settings);
  for (const { chunk, score } of hits) {
    const hit = tree.chunks[chunk];
    if (!hit) continue;
    scores[hit.file] = (scores[hit.file] ?? 0) + score;
    found[hit.file]?.push({ start_line: hit.start_line, end_line: hit.end_line });
  }
  const direct = [...scores];
  for (const [from, to] of edgesOf(tree)) {
    scores[to] = (scores[to] ?? 0) + NEIGHBOUR_SHARE * (direct[from] ?? 0);
    scores[from] = (scores[from] ?? 0) + NEIGHBOUR_SHARE * (direct[to] ?? 0);
  }
  const weights = importance(tree, scores);
  const files = tree.files.map(({ path }, place): RankedFile => {
    const named = paths.has(path) ? 2 * NAMED_SCORE : isNamed(path, words) ? NAMED_SCORE : 0;
    return { path, score: (scores[place] ?? 0) + named, found: found[place] ?? [] };
  });
  files.sort((a, b) => b.score - a.score || (a.path < b.path ? -1 : 1));
  return { files, weights };
}

/** The words have the whole path, or the file's name where it says something by itself. */
function isNamed(path: string, words: string): boolean {
  const name = path.slice(path.lastIndexOf("/") + 1);
  return hasWord(words, path) || (/[.]/.test(name) && hasWord(words, name));
}

function hasWord(words: string, wanted: string): boolean {
  for (let at = words.indexOf(wanted); at >= 0; at = words.indexOf(wanted, at + 1)) {
    const before = words[at - 1] ?? " ";
    const after = words.slice(at + wanted.length, at + wanted.length + 2);
    if (!/[\w-]/.test(before) && !/^(?:[\w-]|\.\w)/.test(after)) return true;
  }
  return false;
}

/** File → file, by imports and by calls, each pair once. */
function edgesOf(tree: Tree): [number, number][] {
  const edges = new Map<string, [number, number]>();
  const add = (from: number, to: number | undefined) => {
    if (to !== undefined && to !== from) edges.set(`${from} ${to}`, [from, to]);
  };
  for (const [from, to] of tree.imports) add(from, to);
  for (const [from, , to] of tree.calls) add(from, tree.chunks[to]?.file);
  return [...edges.values()];
}

const DAMPING = 0.85;
const ITERATIONS = 20;

/** PageRank over the graph of files, which begins anew at the files that the task is about. */
function importance(tree: Tree, scores: readonly number[]): number[] {
  const count = tree.files.length;
  const total = scores.reduce((sum, score) => sum + score, 0);
  const start = scores.map(
    (score) => (total > 0 ? 0.5 * (score / total) : 0) + (total > 0 ? 0.5 : 1) / count,
  );
  const edges = edgesOf(tree);
  const out = new Array<number>(count).fill(0);
  for (const [from] of edges) out[from] = (out[from] ?? 0) + 1;
  let weights = [...start];
  for (let turn = 0; turn < ITERATIONS; turn += 1) {
    const next = start.map((share) => (1 - DAMPING) * share);
    for (const [from, to] of edges) {
      next[to] = (next[to] ?? 0) + (DAMPING * (weights[from] ?? 0)) / (out[from] ?? 1);
    }
    weights = next;
  }
  return weights;
}

/** The tree as the search takes it: without vectors, so that names and words decide. */
function snapshotOf(tree: Tree): Snapshot {
  const { revision, files, chunks, imports, calls } = tree;
  return {
    ...{ schema_version: 1, tenant: "none", repository: "none", embedder: "none", dimensions: 1, tests: [] },
    ...{ revision, files, chunks, imports, calls },
    vectors: new Float32Array(0),
  };
}

/** Characters of the map: about 1,000 tokens. */
const MAP_CHARACTERS_MAX = 4000;
const SIGNATURE_CHARACTERS_MAX = 160;
const SYMBOLS_PER_FILE_MAX = 8;

/**
 * A map of the repository: the files that matter most in its graph, each with the signatures of what it declares,
 * exported symbols first.
 */
export function repositoryMap(tree: Tree, weights: readonly number[]): string {
  const order = tree.files
    .map(({ path }, place) => ({ path, place, weight: weights[place] ?? 0 }))
    .sort((a, b) => b.weight - a.weight || (a.path < b.path ? -1 : 1));
  const lines: string[] = [];
  let characters = 0;
  for (const { path, place } of order) {
    const symbols = tree.chunks
      .filter(({ file, symbol }) => file === place && symbol !== null)
      .sort((a, b) => Number(b.exported) - Number(a.exported) || a.start_line - b.start_line)
      .slice(0, SYMBOLS_PER_FILE_MAX)
      .map(({ signature, start_line }) => `  ${start_line}: ${oneLine(signature)}`);
    if (symbols.length === 0) continue;
    const part = [path, ...symbols].join("\n");
    if (characters + part.length > MAP_CHARACTERS_MAX) break;
    characters += part.length + 1;
    lines.push(part);
  }
  return lines.join("\n");
}

function oneLine(signature: string): string {
  const plain = signature.replace(/\s+/g, " ").trim();
  return plain.length > SIGNATURE_CHARACTERS_MAX ? `${plain.slice(0, SIGNATURE_CHARACTERS_MAX)}…` : plain;
}
