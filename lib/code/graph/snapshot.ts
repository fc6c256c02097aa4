import { promisify } from "node:util";
import { gunzip, gzip } from "node:zlib";
import { z } from "zod";
import { fromJsonLines, toJsonLines } from "#lib/code/graph/json-lines.ts";
import { TerminalFault } from "#lib/platform/errors/fault.ts";
import { Sha256, Tenant } from "#schemas/primitives.ts";

/** The unit of search: a symbol, a section of a text, or a range of lines of one file. */
export const Chunk = z.strictObject({
  symbol: z.string().nullable().describe("qualified name; null outside any symbol"),
  kind: z.enum([
    "function",
    "class",
    "method",
    "interface",
    "type",
    "enum",
    "constant",
    "namespace",
    "section",
    "lines",
  ]),
  exported: z.boolean(),
  start_line: z.int().min(1),
  end_line: z.int().min(1),
  signature: z.string().describe("the declaration's head, or the section's heading"),
  doc: z.string(),
  excerpt: z.string().describe("source text from start_line on, cut"),
  content_hash: Sha256.describe("of the text given to the embedder"),
});
export type Chunk = z.infer<typeof Chunk>;

const Index = z.int().min(0);

export const SnapshotFile = z.strictObject({
  path: z.string(),
  language: z.string(),
  sha256: Sha256,
});
export type SnapshotFile = z.infer<typeof SnapshotFile>;

/** The result of a test whose file is in the indexed tree. */
export const LinkedTest = z.strictObject({
  file: Index,
  name: z.string(),
  status: z.enum(["passed", "failed", "skipped"]),
});
export type LinkedTest = z.infer<typeof LinkedTest>;

/**
 * A repository at one revision, without its vectors. Numbers in `file`, `imports` and `calls` are
 * indexes into `files` and `chunks`. It contains no timestamp, so the same tree gives the same bytes.
 */
export const SnapshotBody = z.strictObject({
  schema_version: z.literal(1),
  tenant: Tenant,
  repository: z.string().min(1),
  revision: Sha256.describe("of the indexed tree"),
  embedder: z.string(),
  dimensions: z.int().positive(),
  tokenizer_sha256: Sha256.optional().describe("of the embedder's tokenizer; unknown in older snapshots"),
  files: z.array(SnapshotFile),
  chunks: z.array(
    Chunk.extend({
      file: Index,
      vector: Index.nullable().describe("row in the vectors; null: found by words only"),
    }),
  ),
  imports: z.array(z.tuple([Index, Index])).describe("file → file"),
  calls: z
    .array(z.tuple([Index, Index.nullable(), Index]))
    .describe("file, calling chunk (null: outside any symbol) → called chunk"),
  tests: z.array(LinkedTest),
});
export type SnapshotBody = z.infer<typeof SnapshotBody>;
export type SnapshotChunk = SnapshotBody["chunks"][number];

/** Immutable once published. */
export interface Snapshot extends SnapshotBody {
  /** Rows of `dimensions` numbers, each row of unit length. */
  vectors: Float32Array;
}

/** The vector in row `row`, as a view and not a copy. */
export function vectorAt(snapshot: Snapshot, row: number): Float32Array {
  return snapshot.vectors.subarray(row * snapshot.dimensions, (row + 1) * snapshot.dimensions);
}

const HEADER_BYTES = 4;
/** Enough for a snapshot of 30,000 chunks of 3,000 characters. */
const SNAPSHOT_BYTES_MAX = 256 * 1024 * 1024;

/**
 * Encodes as gzip of: length of the JSON lines (uint32, little-endian), the lines, the vectors (float32, little-endian).
 * Encoding and decoding are linear passes in slices, with a limit on the bytes.
 */
export async function encodeSnapshot(snapshot: Snapshot): Promise<Uint8Array> {
  const { vectors, ...body } = snapshot;
  const json = await toJsonLines(body);
  const header = Buffer.alloc(HEADER_BYTES);
  header.writeUInt32LE(json.byteLength);
  const numbers = Buffer.from(vectors.buffer, vectors.byteOffset, vectors.byteLength);
  const bytes = Buffer.concat([header, json, numbers]);
  if (bytes.byteLength > SNAPSHOT_BYTES_MAX) {
    throw new TerminalFault(
      "SNAPSHOT_TOO_LARGE",
      `The index of ${snapshot.repository} takes ${bytes.byteLength} bytes and may take ${SNAPSHOT_BYTES_MAX}; lower chunks_kept_max or excerpt_characters_max in configs/graph.json.`,
    );
  }
  return promisify(gzip)(bytes);
}

/** @throws TerminalFault `SNAPSHOT_CORRUPT` when the bytes are not a snapshot */
export async function decodeSnapshot(bytes: Uint8Array): Promise<Snapshot> {
  try {
    const raw = await promisify(gunzip)(bytes, { maxOutputLength: SNAPSHOT_BYTES_MAX });
    const start = HEADER_BYTES + raw.readUInt32LE(0);
    const body = await fromJsonLines(raw.subarray(HEADER_BYTES, start), SnapshotBody);
    const numbers = Math.floor((raw.length - start) / Float32Array.BYTES_PER_ELEMENT);
    const from = raw.byteOffset + start;
    const vectors = new Float32Array(raw.buffer.slice(from, from + numbers * Float32Array.BYTES_PER_ELEMENT));
    const fault = indexFault(body);
    if (fault !== undefined) throw new Error(fault);
    return { ...body, vectors };
  } catch (cause) {
    throw new TerminalFault(
      "SNAPSHOT_CORRUPT",
      "The stored index cannot be read; index the repository again to replace it.",
      { cause },
    );
  }
}

/** Which list of a snapshot refers to a file or chunk that it does not hold; undefined when none does. */
export function indexFault({
  files,
  chunks,
  imports,
  calls,
  tests,
}: Pick<Snapshot, "files" | "chunks" | "imports" | "calls" | "tests">): string | undefined {
  const file = (place: number) => place < files.length;
  const chunk = (place: number) => place < chunks.length;
  const sound = {
    chunks: chunks.every((each) => file(each.file)),
    imports: imports.every(([from, to]) => file(from) && file(to)),
    calls: calls.every(([place, from, to]) => file(place) && (from === null || chunk(from)) && chunk(to)),
    tests: tests.every((each) => file(each.file)),
  };
  const unsound = Object.entries(sound).find(([, holds]) => !holds);
  return unsound && `${unsound[0]} refer to what is not in the index.`;
}
