import { appendFileSync, existsSync, readFileSync } from "node:fs";
import type { Embedder } from "#lib/code/embedding/embedder.ts";
import { sha256 } from "#lib/platform/hash/sha256.ts";

const HASH_BYTES = 32;

export interface CachedEmbedder extends Embedder {
  /** Texts that were embedded by this process, and how long that took. */
  readonly spent: { texts: number; ms: number };
}

/**
 * Keeps every vector in `file` by the SHA-256 of its text, so that a second run embeds nothing.
 *
 * @throws Error when the file ends in the middle of a vector, as a killed run leaves it
 */
export function cachedEmbedder(embedder: Embedder, file: string): CachedEmbedder {
  const record_bytes = HASH_BYTES + embedder.dimensions * Float32Array.BYTES_PER_ELEMENT;
  const known = new Map<string, Float32Array>();
  const bytes = existsSync(file) ? readFileSync(file) : Buffer.alloc(0);
  for (let at = 0; at + record_bytes <= bytes.length; at += record_bytes) {
    const numbers = bytes.buffer.slice(
      bytes.byteOffset + at + HASH_BYTES,
      bytes.byteOffset + at + record_bytes,
    );
    known.set(bytes.toString("hex", at, at + HASH_BYTES), new Float32Array(numbers as ArrayBuffer));
  }
  if (bytes.length % record_bytes !== 0) {
    throw new Error(`${file} ends in the middle of a vector: remove it.`);
  }
  const spent = { texts: 0, ms: 0 };
  const vectorOf = async (text: string, signal?: AbortSignal): Promise<Float32Array> => {
    const hash = sha256(text);
    const found = known.get(hash);
    if (found) return found;
    const started = performance.now();
    const [vector = new Float32Array()] = await embedder.embed([text], signal);
    spent.ms += performance.now() - started;
    spent.texts += 1;
    known.set(hash, vector);
    const numbers = Buffer.from(vector.buffer, vector.byteOffset, vector.byteLength);
    appendFileSync(file, Buffer.concat([Buffer.from(hash, "hex"), numbers]));
    return vector;
  };
  return {
    name: embedder.name,
    dimensions: embedder.dimensions,
    tokenizerSha256: () => embedder.tokenizerSha256(),
    spent,
    async embed(texts, signal) {
      const vectors: Float32Array[] = [];
      for (const text of texts) vectors.push(await vectorOf(text, signal));
      return vectors;
    },
  };
}
