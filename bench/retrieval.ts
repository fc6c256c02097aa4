/**
 * How well the search finds a function by what its author wrote about it: each query is the first
 * sentence of a function's comment, and the comments are taken out of the index. Prints the mean
 * reciprocal rank (MRR) and the share found among the first ten.
 *
 * One function in two is taken, evenly, so that it ends within two minutes; 0 takes all.
 *
 *     node bench/retrieval.ts [characters given to the embedder] [functions at most]
 */

import { sha256 } from "#lib/artifacts/blobs.ts";
import { minilmEmbedder } from "#lib/embedding/minilm-embedder.ts";
import { embedChunks } from "#lib/graph/embed-chunks.ts";
import { embeddingText } from "#lib/graph/embedding-text.ts";
import { readTree } from "#lib/graph/read-tree.ts";
import { rank } from "#lib/graph/search.ts";
import type { Snapshot, SnapshotChunk } from "#lib/graph/snapshot.ts";
import { snapshotSearchIndex } from "#lib/graph/snapshot-search-index.ts";
import { systemRuntime } from "#lib/runtime/runtime.ts";
import configured from "../configs/graph.json" with { type: "json" };

const CORPUS = ["node_modules/commander/lib", "node_modules/luxon/src", "node_modules/minisearch/src"];
const QUERIES_MAX = 200;
const chunk_characters_max = Number(process.argv[2] ?? configured.chunk_characters_max);
const functions_max = Number(process.argv[3] ?? 402) || Number.POSITIVE_INFINITY;
/** No limit of time: a slow machine would otherwise measure how few chunks it embedded. */
const limits = { ...configured, chunk_characters_max, chunks_max: 30_000, embedding_seconds_max: 3600 };

const files: Snapshot["files"] = [];
const candidates: { chunk: SnapshotChunk; sentence: string }[] = [];
const chunks: SnapshotChunk[] = [];
const queries: { text: string; chunk: number }[] = [];
for (const directory of CORPUS) {
  const tree = await readTree(directory, limits);
  for (const chunk of tree.chunks) {
    const callable = chunk.kind === "function" || chunk.kind === "method";
    if (!callable || /(^|\/)(test|[^/]*\.test)\b/.test(tree.files[chunk.file]?.path ?? "")) continue;
    const bare = { ...chunk, doc: "", file: files.length + chunk.file };
    const content_hash = sha256(embeddingText(bare, chunk_characters_max));
    const [sentence = ""] = chunk.doc.replace(/\n/g, " ").split(/(?<=\.)\s|@/);
    candidates.push({ chunk: { ...bare, content_hash }, sentence });
  }
  files.push(...tree.files);
}

const stride = Math.max(1, Math.ceil(candidates.length / functions_max));
for (const { chunk, sentence } of candidates.filter((_, index) => index % stride === 0)) {
  const place = chunks.push(chunk) - 1;
  if (sentence.split(" ").length >= 4) queries.push({ text: sentence, chunk: place });
}

const embedder = minilmEmbedder();
await embedder.embed(["loads the model"]);
const cpu_before = process.cpuUsage();
const started = performance.now();
const { vectors, ...embedded } = await embedChunks(chunks, { embedder, limits, runtime: systemRuntime });
const embedding_ms = performance.now() - started;
const embedding_cpu = process.cpuUsage(cpu_before);
const snapshot: Snapshot = {
  schema_version: 1,
  tenant: "bench",
  repository: "bench",
  revision: sha256(""),
  embedder: embedder.name,
  dimensions: embedder.dimensions,
  files,
  chunks: embedded.chunks,
  imports: [],
  calls: [],
  tests: [],
  vectors,
};

const searchable = snapshotSearchIndex(snapshot);
const step = Math.max(1, Math.ceil(queries.length / QUERIES_MAX));
const asked = queries.filter((_, index) => index % step === 0);
const question_vectors = await embedder.embed(asked.map(({ text }) => text));
const places: Record<string, number[]> = { words: [], meaning: [], fused: [] };
let searching_ms = 0;
for (const [index, { text, chunk }] of asked.entries()) {
  const vector = question_vectors[index];
  if (!vector) continue;
  const from = performance.now();
  const both = await rank(searchable, { text, vector, limit: 100 }, limits);
  searching_ms += performance.now() - from;
  const found = both.find((hit) => hit.chunk === chunk);
  places.words?.push(found?.words?.rank ?? Number.POSITIVE_INFINITY);
  places.meaning?.push(found?.meaning?.rank ?? Number.POSITIVE_INFINITY);
  places.fused?.push(found ? both.indexOf(found) + 1 : Number.POSITIVE_INFINITY);
}

const mean = (numbers: number[]) => numbers.reduce((sum, number) => sum + number, 0) / numbers.length;
const summary = Object.fromEntries(
  Object.entries(places).map(([name, ranks]) => [
    name,
    {
      MRR: mean(ranks.map((place) => 1 / place)).toFixed(3),
      "hit@10": mean(ranks.map((place) => Number(place <= 10))).toFixed(3),
    },
  ]),
);
console.log(
  `${chunks.length} functions, ${embedded.embedded} embedded, ${asked.length} queries, ${chunk_characters_max} characters of each`,
);
console.table(summary);
const cpu_ms = (embedding_cpu.user + embedding_cpu.system) / 1000;
console.log(
  `${(embedding_ms / embedded.embedded).toFixed(0)} ms a chunk to embed, ${(cpu_ms / embedded.embedded).toFixed(0)} of them on the processor`,
);
console.log(`${(searching_ms / asked.length).toFixed(1)} ms a query to search`);
