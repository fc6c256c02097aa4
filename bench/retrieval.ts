/**
 * How well the search finds a function by what its author wrote about it: `npm run bench:retrieval -- --help`.
 */
import { join } from "node:path";
import { minilmEmbedder } from "#lib/code/embedding/minilm-embedder.ts";
import { snapshotSearchIndex } from "#lib/code/graph/snapshot-search-index.ts";
import configured from "../configs/graph.json" with { type: "json" };
import { cacheDirectory } from "../local/host/cache-directory.ts";
import { readOptions } from "../scripts/read-options.ts";
import { cachedEmbedder } from "./retrieval/cached-embedder.ts";
import { PACKAGES, TUNED_ON } from "./retrieval/packages.ts";
import { askAll, figures, METHODS, type Ranks } from "./retrieval/quality.ts";
import {
  embedCorpus,
  type Functions,
  readFunctions,
  together,
  withoutNames,
} from "./retrieval/question-corpus.ts";

const HELP = `npm run bench:retrieval -- [options]

The first sentence of a function's doc comment is put to the search, and the function must be found; all comments are taken
out of what is searched. The functions are those of ${PACKAGES.map(({ name, version }) => `${name} ${version}`).join(", ")}, fetched from npm once.
Prints the mean reciprocal rank (MRR) and the share found among the first ten (hit@10), with the functions' names and
without them, beside BM25, vectors alone and the reciprocal rank fusion of these two. The ranking was tuned on ${TUNED_ON}.

Packages and vectors are kept in \${XDG_CACHE_HOME:-~/.cache}/distributed-agents. The first run embeds some 4,000 texts.

  --together          all packages in one repository, too: the same function is then in it up to three times
  --characters <n>    text of each function given to the embedder (${configured.chunk_characters_max}, as in configs/graph.json)
  --meaning <share>   share of meaning in a hit's score (${configured.meaning_weight}, as in configs/graph.json)
  --json              one JSON document instead of tables
  --help              this text`;

const options = readOptions(HELP, {
  together: { type: "boolean" },
  characters: { type: "string", default: String(configured.chunk_characters_max) },
  meaning: { type: "string", default: String(configured.meaning_weight) },
  json: { type: "boolean" },
});

function numberOf(name: "characters" | "meaning", fits: (value: number) => boolean, wanted: string): number {
  const value = Number(options[name]);
  if (options[name].trim() !== "" && fits(value)) return value;
  console.error(`--${name} must be ${wanted}, not ${options[name]}\n\n${HELP}`);
  process.exit(2);
}

/** No limit of time: a slow machine would otherwise measure how few functions it embedded. */
const settings = {
  ...configured,
  chunk_characters_max: numberOf(
    "characters",
    (value) => Number.isInteger(value) && value > 0,
    "a whole number above 0",
  ),
  meaning_weight: numberOf("meaning", (value) => value >= 0 && value <= 1, "between 0 and 1"),
  chunks_max: 30_000,
  embedding_seconds_max: 36_000,
};

type Row = Record<(typeof METHODS)[number], { mrr: number; hit_at_10: number }> & { questions: number };

const embedder = cachedEmbedder(minilmEmbedder(), join(cacheDirectory("retrieval"), "minilm-l6-v2.vectors"));
let searching_ms = 0;
let searches = 0;

async function measure(functions: Functions): Promise<Ranks> {
  const { snapshot, questions } = await embedCorpus(functions, embedder, settings);
  const { ranks, milliseconds } = await askAll(snapshotSearchIndex(snapshot), snapshot, questions, settings);
  searching_ms += milliseconds;
  searches += questions.length;
  return ranks;
}

function rowOf(all: readonly Ranks[]): Row {
  const by_method = METHODS.map((method) => [method, figures(all.flatMap((ranks) => ranks[method]))]);
  return { ...Object.fromEntries(by_method), questions: all.flatMap(({ ours }) => ours).length };
}

async function rowsOf(packages: readonly Functions[]): Promise<Record<string, Row>> {
  const ranks = new Map<string, Ranks>();
  for (const functions of packages) ranks.set(functions.package_name, await measure(functions));
  const held_out = [...ranks].filter(([name]) => name !== TUNED_ON).map(([, each]) => each);
  return {
    ...Object.fromEntries(
      [...ranks].map(([name, each]) => [name === TUNED_ON ? `${name} (tuned on)` : name, rowOf([each])]),
    ),
    "all but the tuned": rowOf(held_out),
    all: rowOf([...ranks.values()]),
    ...(options.together && { "in one repository": rowOf([await measure(together(packages))]) }),
  };
}

const packages: Functions[] = [];
for (const source of PACKAGES) packages.push(await readFunctions(source, settings));
const report = {
  with_names: await rowsOf(packages),
  without_names: await rowsOf(packages.map(withoutNames)),
};

if (options.json) console.log(JSON.stringify(report, undefined, 2));
else {
  const functions = packages.reduce((sum, { chunks }) => sum + chunks.length, 0);
  for (const [names, rows] of Object.entries(report)) {
    console.log(`\n${names.replace("_", " ")}: MRR / hit@10 of ${functions} functions`);
    const shown = (row: Row) =>
      METHODS.map((method) => [
        method,
        `${row[method].mrr.toFixed(3)} / ${row[method].hit_at_10.toFixed(3)}`,
      ]);
    console.table(
      Object.fromEntries(
        Object.entries(rows).map(([name, row]) => [
          name,
          { questions: row.questions, ...Object.fromEntries(shown(row)) },
        ]),
      ),
    );
  }
  const { texts, ms } = embedder.spent;
  if (texts > 0) console.log(`${texts} texts embedded now, ${(ms / texts).toFixed(0)} ms each`);
  console.log(`${(searching_ms / searches).toFixed(1)} ms a search`);
}
