/**
 * How well the search finds a function by what its author wrote about it: each query is the first
 * sentence of a function's comment, and the comments are taken out of the index. Prints the mean
 * reciprocal rank (MRR) and the share found among the first ten.
 *
 * One function in two is taken, evenly, so that it ends within two minutes; 0 takes all.
 *
 *     node bench/retrieval.ts [characters given to the embedder] [functions at most]
 */

import { minilmEmbedder } from "#lib/code/embedding/minilm-embedder.ts";
import { snapshotSearchIndex } from "#lib/code/graph/snapshot-search-index.ts";
import configured from "../configs/graph.json" with { type: "json" };
import { quality } from "./retrieval/quality.ts";
import { questionCorpus } from "./retrieval/question-corpus.ts";

const chunk_characters_max = Number(process.argv[2] ?? configured.chunk_characters_max);
const functions_max = Number(process.argv[3] ?? 402) || Number.POSITIVE_INFINITY;
/** No limit of time: a slow machine would otherwise measure how few chunks it embedded. */
const limits = { ...configured, chunk_characters_max, chunks_max: 30_000, embedding_seconds_max: 3600 };

const corpus = await questionCorpus(minilmEmbedder(), limits, functions_max);
const { snapshot, questions, embedded, embedding_ms, embedding_cpu_ms } = corpus;
const { table, milliseconds_a_query } = await quality(snapshotSearchIndex(snapshot), questions, limits);
console.log(
  `${snapshot.chunks.length} functions, ${embedded} embedded, ${questions.length} queries, ${chunk_characters_max} characters of each`,
);
console.table(table);
console.log(
  `${(embedding_ms / embedded).toFixed(0)} ms a chunk to embed, ${(embedding_cpu_ms / embedded).toFixed(0)} of them on the processor`,
);
console.log(`${milliseconds_a_query.toFixed(1)} ms a query to search`);
