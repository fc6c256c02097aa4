import type { Snapshot, SnapshotChunk } from "#lib/code/graph/snapshot.ts";
import { sha256 } from "#lib/platform/hash/sha256.ts";
import { WORD_TOKENIZER_SHA256, wordEmbedder } from "./word-embedder.ts";

const FUNCTIONS_A_FILE = 30;
const VERBS = ["load", "store", "parse", "render", "merge", "split", "count", "sort", "check", "send"];
const NOUNS = ["invoice", "basket", "customer", "session", "ledger", "parcel", "ticket", "voucher"];

/** As many functions as asked for, a file for each thirty; each calls the next, each file imports the next. */
export async function largeSnapshot(functions: number, changed: Partial<Snapshot> = {}): Promise<Snapshot> {
  const embedder = wordEmbedder();
  const files = Array.from({ length: Math.ceil(functions / FUNCTIONS_A_FILE) }, (_, place) => ({
    path: `src/module-${place}.ts`,
    language: "typescript",
    sha256: sha256(String(place)),
  }));
  const chunks = Array.from({ length: functions }, (_, place) => chunkAt(place));
  const texts = chunks.map(({ doc }) => doc);
  const rows = await embedder.embed(texts);
  const vectors = new Float32Array(functions * embedder.dimensions);
  for (const [row, vector] of rows.entries()) vectors.set(vector, row * embedder.dimensions);
  return {
    schema_version: 1,
    tenant: "acme",
    repository: "large",
    revision: sha256(`large ${functions}`),
    embedder: embedder.name,
    dimensions: embedder.dimensions,
    tokenizer_sha256: WORD_TOKENIZER_SHA256,
    files,
    chunks,
    imports: files.slice(1).map((_, place) => [place, place + 1]),
    calls: chunks.slice(1).map(({ file }, place) => [chunks[place]?.file ?? file, place, place + 1]),
    tests: [],
    vectors,
    ...changed,
  };
}

function chunkAt(place: number): SnapshotChunk {
  const verb = VERBS[place % VERBS.length] ?? "";
  const noun = NOUNS[Math.floor(place / VERBS.length) % NOUNS.length] ?? "";
  const symbol = `${verb}${noun[0]?.toUpperCase()}${noun.slice(1)}${place}`;
  const line = (place % FUNCTIONS_A_FILE) * 4 + 1;
  return {
    symbol,
    kind: "function",
    exported: place % 2 === 0,
    start_line: line,
    end_line: line + 2,
    signature: `function ${symbol}()`,
    doc: `Can ${verb} the ${noun} of number ${place}.`,
    excerpt: `function ${symbol}() {\n  return ${place};\n}`,
    content_hash: sha256(symbol),
    file: Math.floor(place / FUNCTIONS_A_FILE),
    vector: place,
  };
}
