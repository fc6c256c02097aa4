import { createHash } from "node:crypto";
import { stat } from "node:fs/promises";
import { join } from "node:path";
import { chunkFile } from "#lib/code/graph/chunk-file.ts";
import type { FileSymbols } from "#lib/code/graph/code-symbol.ts";
import { hasSymbols, languageOf } from "#lib/code/graph/languages.ts";
import { linkEdges, type ReadFile } from "#lib/code/graph/link-edges.ts";
import { readSymbols } from "#lib/code/graph/read-symbols.ts";
import { readImportMap } from "#lib/code/graph/resolve-import.ts";
import type { SnapshotBody } from "#lib/code/graph/snapshot.ts";
import { readTreeFile, walkTree } from "#lib/code/graph/walk-tree.ts";
import type { GraphConfig } from "#schemas/config/graph.ts";

export type TreeLimits = Pick<
  GraphConfig,
  "file_bytes_max" | "chunks_kept_max" | "chunk_characters_max" | "excerpt_characters_max"
>;

export interface Tree extends Pick<SnapshotBody, "revision" | "files" | "chunks" | "imports" | "calls"> {
  symbols: number;
  skipped: { path: string; reason: string }[];
}

const NO_SYMBOLS: FileSymbols = { symbols: [], imports: [], calls: [] };

/**
 * Files, chunks and edges of a tree; no chunk has a vector yet. `revision` is the SHA-256 of all
 * (path, SHA-256) in order of path, skipped files too, so the same tree has the same revision.
 */
export async function readTree(directory: string, limits: TreeLimits, signal?: AbortSignal): Promise<Tree> {
  const revision = createHash("sha256");
  const tree: Tree = {
    revision: "",
    files: [],
    chunks: [],
    imports: [],
    calls: [],
    symbols: 0,
    skipped: [],
  };
  const read: ReadFile[] = [];
  let import_map = {};
  for (const path of await walkTree(directory)) {
    signal?.throwIfAborted();
    const { size } = await stat(join(directory, path));
    const { text, ...file } = await readTreeFile(directory, path, size, limits.file_bytes_max);
    revision.update(`${path}\0${file.sha256}\n`);
    if (text === undefined) {
      tree.skipped.push({ path, reason: file.reason ?? "no text" });
      continue;
    }
    const language = languageOf(path);
    const symbols = hasSymbols(language) ? readSymbols(path, text) : NO_SYMBOLS;
    const chunks = chunkFile({ language, text, symbols: symbols.symbols }, limits);
    if (tree.chunks.length + chunks.length > limits.chunks_kept_max) {
      tree.skipped.push({ path, reason: `over ${limits.chunks_kept_max} chunks in the repository` });
      continue;
    }
    const place = tree.files.push({ path, language, sha256: file.sha256 }) - 1;
    read.push({ path, symbols, first_chunk: tree.chunks.length });
    for (const chunk of chunks) tree.chunks.push({ ...chunk, file: place, vector: null });
    tree.symbols += symbols.symbols.length;
    if (path === "package.json") import_map = readImportMap(text);
  }
  return { ...tree, ...linkEdges(read, tree.chunks, import_map), revision: revision.digest("hex") };
}
