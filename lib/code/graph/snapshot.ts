import { z } from "zod";
import { Chunk } from "#lib/code/graph/chunk.ts";
import { Sha256, Tenant } from "#schemas/primitives.ts";

const Index = z.int().min(0);

export const SnapshotFile = z.strictObject({
  path: z.string(),
  language: z.string(),
  sha256: Sha256,
});
export type SnapshotFile = z.infer<typeof SnapshotFile>;

/** A result of a test whose file is in the tree. */
export const LinkedTest = z.strictObject({
  file: Index,
  name: z.string(),
  status: z.enum(["passed", "failed", "skipped"]),
});
export type LinkedTest = z.infer<typeof LinkedTest>;

/**
 * A repository at one revision, without its vectors. Numbers in `file`, `imports` and `calls` are
 * places in `files` and `chunks`. Has no time in it: the same tree gives the same bytes.
 */
export const SnapshotBody = z.strictObject({
  schema_version: z.literal(1),
  tenant: Tenant,
  repository: z.string().min(1),
  revision: Sha256.describe("of the indexed tree"),
  embedder: z.string(),
  dimensions: z.int().positive(),
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

/** The vector in one row, without a copy. */
export function vectorAt(snapshot: Snapshot, row: number): Float32Array {
  return snapshot.vectors.subarray(row * snapshot.dimensions, (row + 1) * snapshot.dimensions);
}
