import { z } from "zod";
import { BlobRef, ONE_LINE } from "#schemas/primitives.ts";

export const GitUrl = z
  .string()
  .max(2048)
  .regex(/^https?:\/\/[^\s]+$/, "must be a URL that begins with https:// or http://")
  .regex(ONE_LINE, "must have no control character")
  .describe("clone URL over http(s)");

/** Whether git can have such a ref is for the fetch to say. */
export const GitRef = z
  .string()
  .min(1)
  .max(255)
  .regex(ONE_LINE, "must have no control character")
  .describe("branch, tag or commit; HEAD when absent");

/** A source tree as messages carry it: an archive by content, or a git revision still to be fetched. */
export const SourceRef = z.discriminatedUnion("kind", [
  z.strictObject({ kind: z.literal("archive"), blob: BlobRef.describe("tar.gz of the tree") }),
  z.strictObject({
    kind: z.literal("git"),
    url: GitUrl,
    ref: GitRef.optional(),
  }),
]);
export type SourceRef = z.infer<typeof SourceRef>;
