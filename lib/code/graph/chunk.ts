import { z } from "zod";
import { Sha256 } from "#schemas/primitives.ts";

/** One piece of a file that can be found: a symbol, a section of a text, or some lines. */
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
