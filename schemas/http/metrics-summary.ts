import { z } from "zod";
import { Instant } from "#schemas/primitives.ts";

/** Answer of `GET /api/metrics/summary`. */
export const MetricsSummary = z.strictObject({
  generated_at: Instant,
  services: z
    .record(z.string(), z.record(z.string(), z.number()))
    .describe("service → metric → total for this tenant, or for no tenant, since the table was made"),
});
export type MetricsSummary = z.infer<typeof MetricsSummary>;
