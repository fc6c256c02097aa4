import { z } from "zod";
import { Instant } from "#schemas/primitives.ts";

export const PartStatus = z
  .looseObject({
    ok: z.boolean(),
    latency_ms: z.number().min(0),
    detail: z.string().describe("the kind of error, when not ok").optional(),
  })
  .describe("one thing the gateway depends on, and facts of it");
export type PartStatus = z.infer<typeof PartStatus>;

/** Answer of `GET /api/integration/status`, with 503 when a part does not answer. */
export const IntegrationStatus = z.strictObject({
  ok: z.boolean().describe("every part answered"),
  stage: z.string(),
  checked_at: Instant,
  parts: z.record(z.string(), PartStatus).describe("`table`, `bucket`, `queue:<service>`"),
});
export type IntegrationStatus = z.infer<typeof IntegrationStatus>;
