import type { Embedder } from "#lib/code/embedding/embedder.ts";
import { embeddingText } from "#lib/code/graph/chunk-file.ts";
import { embedChunks } from "#lib/code/graph/embed-chunks.ts";
import { readTree } from "#lib/code/graph/read-tree.ts";
import type { Snapshot, SnapshotChunk } from "#lib/code/graph/snapshot.ts";
import { sha256 } from "#lib/platform/hash/sha256.ts";
import { systemRuntime } from "#lib/platform/runtime/runtime.ts";
import type { GraphConfig } from "#schemas/config/graph.ts";

const CORPUS = ["node_modules/commander/lib", "node_modules/luxon/src", "node_modules/minisearch/src"];
const QUERIES_MAX = 200;

/** A question and the place of the function it is about. */
export interface AskedQuestion {
  text: string;
  chunk: number;
  vector: Float32Array;
}

export interface QuestionCorpus {
  snapshot: Snapshot;
  questions: AskedQuestion[];
  embedded: number;
  embedding_ms: number;
  embedding_cpu_ms: number;
}

/** Functions of a few packages without their comments, and the first sentence of each comment as a question. */
export async function questionCorpus(
  embedder: Embedder,
  limits: GraphConfig,
  functions_max: number,
): Promise<QuestionCorpus> {
  const { files, candidates } = await callables(limits);
  const chunks: SnapshotChunk[] = [];
  const asked: { text: string; chunk: number }[] = [];
  const stride = Math.max(1, Math.ceil(candidates.length / functions_max));
  for (const { chunk, sentence } of candidates.filter((_, index) => index % stride === 0)) {
    const place = chunks.push(chunk) - 1;
    if (sentence.split(" ").length >= 4) asked.push({ text: sentence, chunk: place });
  }
  await embedder.embed(["loads the model"]);
  const cpu_before = process.cpuUsage();
  const started = performance.now();
  const { vectors, ...rest } = await embedChunks(chunks, { embedder, limits, runtime: systemRuntime });
  const embedding_ms = performance.now() - started;
  const { user, system } = process.cpuUsage(cpu_before);
  const step = Math.max(1, Math.ceil(asked.length / QUERIES_MAX));
  const chosen = asked.filter((_, index) => index % step === 0);
  const rows = await embedder.embed(chosen.map(({ text }) => text));
  const questions = chosen.map((one, row) => ({ ...one, vector: rows[row] ?? new Float32Array() }));
  const snapshot: Snapshot = {
    schema_version: 1,
    tenant: "bench",
    repository: "bench",
    revision: sha256(""),
    embedder: embedder.name,
    dimensions: embedder.dimensions,
    files,
    chunks: rest.chunks,
    imports: [],
    calls: [],
    tests: [],
    vectors,
  };
  return {
    ...{ snapshot, questions, embedding_ms },
    embedded: rest.embedded,
    embedding_cpu_ms: (user + system) / 1000,
  };
}

async function callables(limits: GraphConfig) {
  const files: Snapshot["files"] = [];
  const candidates: { chunk: SnapshotChunk; sentence: string }[] = [];
  for (const directory of CORPUS) {
    const tree = await readTree(directory, limits);
    for (const chunk of tree.chunks) {
      const callable = chunk.kind === "function" || chunk.kind === "method";
      if (!callable || /(^|\/)(test|[^/]*\.test)\b/.test(tree.files[chunk.file]?.path ?? "")) continue;
      const bare = { ...chunk, doc: "", file: files.length + chunk.file };
      const content_hash = sha256(embeddingText(bare, limits.chunk_characters_max));
      const [sentence = ""] = chunk.doc.replace(/\n/g, " ").split(/(?<=\.)\s|@/);
      candidates.push({ chunk: { ...bare, content_hash }, sentence });
    }
    files.push(...tree.files);
  }
  return { files, candidates };
}
