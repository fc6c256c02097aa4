import { z } from "zod";
import { Sha256 } from "#schemas/primitives.ts";

/** `index/report.json` */
export const IndexReport = z.strictObject({
  repository: z.string(),
  revision: Sha256,
  files: z.int().min(0),
  files_by_language: z.record(z.string(), z.int().min(0)),
  files_skipped: z.array(z.strictObject({ path: z.string(), reason: z.string() })).max(1000),
  symbols: z.int().min(0),
  chunks: z.int().min(0),
  embedded: z.int().min(0),
  reused: z.int().min(0).describe("chunks whose embedding was known already"),
  test_results_linked: z.int().min(0),
  embedder: z.string(),
  duration_ms: z.number().min(0),
});
export type IndexReport = z.infer<typeof IndexReport>;
