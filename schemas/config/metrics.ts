import { z } from "zod";
import { Tenant } from "#schemas/primitives.ts";

/** `configs/metrics.json`: which tenants have series of their own. */
export const MetricsConfig = z.strictObject({
  $schema: z.string(),
  named_tenants: z
    .array(Tenant)
    .max(200)
    .describe("tenants that have series of their own before all others, however many there are"),
  tenants_max: z
    .int()
    .min(0)
    .max(200)
    .describe(
      "tenants that have series of their own; those that are not named follow by name, and the rest are added up as tenant `other`",
    ),
});
export type MetricsConfig = z.infer<typeof MetricsConfig>;
