import { z } from "zod";
import { Instant, Sha256 } from "#schemas/primitives.ts";

/** One of the operator's files as one process sees it. */
export const PolicyView = z.strictObject({
  file: z.string().describe("name in configs/, for example retry_policy.json"),
  schema: z.string().describe("file in schemas/json/ that it follows"),
  hash: Sha256.nullable().describe("of the bytes in force; null while there is no valid version"),
  source: z.string().nullable().describe("where the bytes in force come from"),
  loaded_at: Instant.nullable().describe("since when they are in force in this process"),
  age_seconds: z.int().min(0).nullable().describe("for how long"),
  state: z
    .enum(["in_force", "rejected", "unreadable"])
    .describe("what became of what the source holds now: `in_force`, or an older version stays"),
  reason: z.string().nullable().describe("why it is not in force"),
  last_rejected: z
    .strictObject({ at: Instant, hash: Sha256.nullable(), reason: z.string() })
    .nullable()
    .describe("the last change this process refused, mended or not"),
});
export type PolicyView = z.infer<typeof PolicyView>;

/** Answer of `GET /api/policies`. Every function's process has its own view; this is the gateway's. */
export const Policies = z.strictObject({
  service: z.string().describe("whose view this is"),
  source: z.string().describe("where changes are looked for"),
  checked_at: Instant.nullable().describe("when they were last looked for"),
  policies: z.array(PolicyView),
});
export type Policies = z.infer<typeof Policies>;
