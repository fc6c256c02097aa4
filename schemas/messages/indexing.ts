import { z } from "zod";
import { SourceRef } from "#schemas/messages/source.ts";
import { BlobRef } from "#schemas/primitives.ts";

export const IndexingInput = z.strictObject({
  repository: z.string().min(1),
  source: SourceRef,
  diff: BlobRef.describe("applied to the source before indexing").optional(),
  report: BlobRef.describe("build-test/report.json, linked to the files it speaks of").optional(),
});
export type IndexingInput = z.infer<typeof IndexingInput>;

export const IndexingOutput = z.strictObject({
  source: SourceRef.describe("the resolved source"),
  repository: z.string().min(1),
  revision: z.string().min(1).describe("content hash of the indexed tree"),
  files: z.int().min(0),
  symbols: z.int().min(0),
  chunks: z.int().min(0),
  embedded: z.int().min(0).describe("chunks embedded now; the rest were known already"),
});
export type IndexingOutput = z.infer<typeof IndexingOutput>;
