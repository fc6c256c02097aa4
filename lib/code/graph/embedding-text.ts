import type { Chunk } from "#lib/code/graph/chunk.ts";

/**
 * What the embedder reads of a chunk: its name in words first, then what its author says of it,
 * then its code. Without the path, so that a moved file keeps its embeddings.
 */
export function embeddingText(chunk: Omit<Chunk, "content_hash">, characters_max: number): string {
  const words = (chunk.symbol ?? "").replace(/([\p{Ll}\p{N}])(\p{Lu})/gu, "$1 $2").replace(/[._$#]+/g, " ");
  const body = chunk.excerpt.replace(/[ \t]+/g, " ");
  return [words.trim().toLowerCase(), chunk.doc, chunk.symbol ? "" : chunk.signature, body]
    .filter((part) => part !== "")
    .join("\n")
    .slice(0, characters_max);
}
