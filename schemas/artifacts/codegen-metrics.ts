import { z } from "zod";

const FileChange = z.strictObject({
  path: z.string(),
  change: z.enum(["added", "modified", "deleted", "renamed"]),
  insertions: z.int().min(0),
  deletions: z.int().min(0),
});

/** `codegen/metrics.json` */
export const CodegenMetrics = z.strictObject({
  provider: z.enum(["patch", "codemod", "model"]),
  round: z.int().min(0),
  duration_ms: z.number().min(0),
  files_changed: z.int().min(0),
  insertions: z.int().min(0),
  deletions: z.int().min(0),
  files: z.array(FileChange),
  rules_matched: z.record(z.string(), z.int().min(0)).optional().describe("codemod: matches per rule id"),
});
export type CodegenMetrics = z.infer<typeof CodegenMetrics>;
