import { z } from "zod";
import { Instant, Sha256, TraceId } from "#schemas/primitives.ts";

/** `<file>.meta.json`: where an artifact comes from and how to check it. */
export const ArtifactMeta = z.strictObject({
  schema_id: z.string().nullable().describe("JSON Schema the file follows; null for free text"),
  schema_version: z.literal(1),
  path: z.string(),
  sha256: Sha256,
  bytes: z.int().min(0),
  content_type: z.string(),
  producer: z.strictObject({ service: z.string(), role: z.string(), version: z.string() }),
  trace_id: TraceId,
  idempotency_key: Sha256,
  source_hash: Sha256,
  created_at: Instant,
});
export type ArtifactMeta = z.infer<typeof ArtifactMeta>;
