import { createHash } from "node:crypto";
import type { Embedder } from "#lib/code/embedding/embedder.ts";
import { sha256 } from "#lib/platform/hash/sha256.ts";

/** The tokenizer's hash of the fake unless it is made otherwise. */
export const WORD_TOKENIZER_SHA256 = sha256("letters");

/** Words that mean the same to the fake, so that tests can ask by meaning. */
const MEANINGS: Readonly<Record<string, string>> = {
  remove: "delete",
  erase: "delete",
  discard: "delete",
  fetch: "load",
  retrieve: "load",
  total: "sum",
  add: "sum",
  plus: "sum",
};

export interface WordEmbedder extends Embedder {
  /** Every text embedded so far. */
  readonly texts: string[];
}

/** Deterministic: each word of a text turns its vector some way; synonyms turn it the same way. */
export function wordEmbedder(
  options: { name?: string; dimensions?: number; tokenizer?: string } = {},
): WordEmbedder {
  const dimensions = options.dimensions ?? 64;
  const texts: string[] = [];
  return {
    name: options.name ?? "words",
    dimensions,
    tokenizerSha256: async () => sha256(options.tokenizer ?? "letters"),
    texts,
    async embed(batch, signal) {
      signal?.throwIfAborted();
      texts.push(...batch);
      return batch.map((text) => vectorOf(text, dimensions));
    },
  };
}

function vectorOf(text: string, dimensions: number): Float32Array {
  const vector = new Float32Array(dimensions);
  for (const [word] of text.toLowerCase().matchAll(/[a-z]+/g)) {
    const digest = createHash("sha256")
      .update(Object.hasOwn(MEANINGS, word) ? (MEANINGS[word] ?? word) : word)
      .digest();
    const place = digest.readUInt16LE(0) % dimensions;
    vector[place] = (vector[place] ?? 0) + 1;
  }
  const length = Math.hypot(...vector) || 1;
  return vector.map((value) => value / length);
}
