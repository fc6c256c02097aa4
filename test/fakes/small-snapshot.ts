import { embedChunks } from "#lib/code/graph/embed-chunks.ts";
import { readTree } from "#lib/code/graph/read-tree.ts";
import type { Snapshot } from "#lib/code/graph/snapshot.ts";
import { systemRuntime } from "#lib/platform/runtime/runtime.ts";
import { SMALL_REPOSITORY, writeTree } from "./small-repository.ts";
import { WORD_TOKENIZER_SHA256, wordEmbedder } from "./word-embedder.ts";

export const GRAPH_SETTINGS = {
  $schema: "",
  file_bytes_max: 100_000,
  embedding_seconds_max: 60,
  chunks_max: 100,
  chunks_kept_max: 1000,
  chunk_characters_max: 600,
  excerpt_characters_max: 1000,
  meaning_weight: 0.5,
  candidates: 50,
};

/** The snapshot of `files`, embedded by the fake, for tenant `acme` unless said otherwise. */
export async function smallSnapshot(
  files: Readonly<Record<string, string>> = SMALL_REPOSITORY,
  changed: Partial<Snapshot> = {},
): Promise<Snapshot> {
  const { directory, remove } = await writeTree(files);
  try {
    const embedder = wordEmbedder();
    const tree = await readTree(directory, GRAPH_SETTINGS);
    const { chunks, vectors } = await embedChunks(tree.chunks, {
      embedder,
      limits: GRAPH_SETTINGS,
      runtime: systemRuntime,
    });
    return {
      schema_version: 1,
      tenant: "acme",
      repository: "shop",
      revision: tree.revision,
      embedder: embedder.name,
      dimensions: embedder.dimensions,
      tokenizer_sha256: WORD_TOKENIZER_SHA256,
      files: tree.files,
      chunks,
      imports: tree.imports,
      calls: tree.calls,
      tests: [],
      vectors,
      ...changed,
    };
  } finally {
    await remove();
  }
}
