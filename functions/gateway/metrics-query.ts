import { z } from "zod";
import { Tenant } from "#schemas/primitives.ts";

const UNIT_SECONDS = { m: 60, h: 3600, d: 86_400 } as const;

/** The length of a span of time such as `5m`, `1h` or `7d`. */
export function windowSeconds(span: string): number {
  return Number(span.slice(0, -1)) * UNIT_SECONDS[span.at(-1) as keyof typeof UNIT_SECONDS];
}

/** A span of time: 1 to 9,999 minutes, or up to 31 days in hours or days. */
const MetricsWindow = z
  .string()
  .regex(
    /^(?:[1-9]\d{0,3}m|(?:[1-9]\d?|[1-6]\d\d|7[0-3]\d|74[0-4])h|(?:[1-9]|[12]\d|3[01])d)$/,
    "must be minutes, hours or days, such as 5m, 1h or 7d; up to 9999m, 744h or 31d",
  );

const Label = z.string().regex(/^[A-Za-z0-9_-]{1,64}$/);

/** Whose numbers: a tenant, or `*` for all. */
export const MetricsTenant = z.union([z.literal("*"), Tenant]);

/** Query of `GET /api/metrics/summary`. */
export const MetricsQuery = z.strictObject({
  window: MetricsWindow.prefault("1h").describe("how far back `series` look, such as 5m, 1h or 24h"),
  tenant: MetricsTenant.optional().describe(
    "another tenant than the caller's own, or `*`: for operators of operator_tenants only",
  ),
  service: Label.optional().describe("only series of this service"),
  role: Label.optional().describe("only series of this role"),
  shard: Label.optional().describe("only series of this shard"),
});
export type MetricsQuery = z.infer<typeof MetricsQuery>;
