import { z } from "zod";

/** `configs/graph.json`: how code is indexed and searched. */
export const GraphConfig = z.strictObject({
  $schema: z.string(),
  file_bytes_max: z.int().positive().describe("larger files are listed but not indexed"),
  chunks_max: z.int().positive().describe("chunks embedded per revision; the rest stay lexical"),
  embedding_seconds_max: z
    .number()
    .positive()
    .describe(
      "time for embedding one revision; chunks there was no time for stay lexical until indexed again",
    ),
  chunks_kept_max: z
    .int()
    .positive()
    .describe("chunks kept per revision; files beyond are listed as skipped"),
  chunk_characters_max: z.int().positive().describe("text of one chunk given to the embedder"),
  excerpt_characters_max: z
    .int()
    .positive()
    .describe("text of one chunk kept for word search and for excerpts"),
  meaning_weight: z
    .number()
    .min(0)
    .max(1)
    .describe("share of a hit's score that its meaning makes up; its words make up the rest"),
  candidates: z.int().positive().describe("hits taken from each search before fusion"),
});
export type GraphConfig = z.infer<typeof GraphConfig>;
