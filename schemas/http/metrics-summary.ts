import { z } from "zod";
import { Instant } from "#schemas/primitives.ts";

/** A tenant's tasks, counted from the ledger: exact. */
export const TaskCounts = z.strictObject({
  accepted_since: Instant.describe("tasks accepted since then are counted: those of 24 hours"),
  open: z.int().min(0).describe("tasks that have not ended"),
  ended: z.record(z.string(), z.int().min(0)).describe("status → tasks that ended so"),
  verdicts: z.record(z.string(), z.int().min(0)).describe("verdict → ended tasks that have it"),
  complete: z.boolean().describe("false: there are more than were counted; the newest were"),
});
export type TaskCounts = z.infer<typeof TaskCounts>;

/** Answer of `GET /api/metrics/summary`. */
export const MetricsSummary = z.strictObject({
  generated_at: Instant,
  tasks: TaskCounts,
  services: z
    .record(z.string(), z.record(z.string(), z.number()))
    .describe(
      "service → metric → total of the last 31 days for this tenant, or for no tenant; approximate: an environment that ends takes along what it had not written",
    ),
});
export type MetricsSummary = z.infer<typeof MetricsSummary>;
