import { z } from "zod";

/** Answer of `POST /api/query`, best first. */
export const QueryAnswer = z.strictObject({
  repository: z.string(),
  revision: z.string().nullable().describe("null when nothing was indexed under that name"),
  words_only: z
    .strictObject({ code: z.string(), detail: z.string() })
    .nullable()
    .describe("why only names and words were searched; null when meaning was searched too"),
  results: z.array(
    z.strictObject({
      symbol: z.string().describe("qualified name, or the file's path for a chunk outside any symbol"),
      kind: z.string(),
      path: z.string(),
      start_line: z.int().min(1),
      end_line: z.int().min(1),
      excerpt: z.string(),
      score: z.number(),
      why: z.array(z.string()).describe("sentences: which search found it, on what words, at what rank"),
    }),
  ),
});
export type QueryAnswer = z.infer<typeof QueryAnswer>;
