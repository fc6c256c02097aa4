import { z } from "zod";
import { Instant } from "#schemas/primitives.ts";
import { CircuitState } from "#schemas/records/circuit.ts";

/** A tenant's tasks, counted from the ledger: exact. */
export const TaskCounts = z.strictObject({
  accepted_since: Instant.describe("tasks accepted since then are counted: those of 24 hours"),
  open: z.int().min(0).describe("tasks that have not ended"),
  ended: z.record(z.string(), z.int().min(0)).describe("status → tasks that ended so"),
  verdicts: z.record(z.string(), z.int().min(0)).describe("verdict → ended tasks that have it"),
  complete: z.boolean().describe("false: there are more than were counted; the newest were"),
});
export type TaskCounts = z.infer<typeof TaskCounts>;

const DurationSummary = z.strictObject({
  count: z.int().min(0),
  mean_seconds: z.number().min(0),
  p50_seconds: z.number().min(0),
  p95_seconds: z.number().min(0),
  p99_seconds: z.number().min(0).describe("as exact as the buckets are; 900 for anything above 900"),
});

const SeriesSummary = z.strictObject({
  service: z.string(),
  role: z.string(),
  shard: z.string(),
  tenant: z.string().describe("`_platform`: no tenant's; `other`: of tenants without series of their own"),
  counts: z.record(z.string(), z.number()).describe("metric → how many in the window"),
  per_second: z.record(z.string(), z.number()).describe("metric → how many a second, on average"),
  durations: z.record(z.string(), DurationSummary),
});
export type SeriesSummary = z.infer<typeof SeriesSummary>;

const BacklogSummary = z.strictObject({
  service: z.string(),
  waiting: z.int().min(0).describe("messages that may be received"),
  in_flight: z
    .int()
    .min(0)
    .describe("messages that were received and are not done, or that wait for their next try"),
  dead_lettered: z.int().min(0),
  oldest_age_seconds: z.number().min(0).describe("since the oldest step that is not done was sent; 0: none"),
  dead_letter_age_seconds: z.number().min(0).describe("since the oldest dead letter was sent; 0: none"),
});

/** Answer of `GET /api/metrics/summary`. */
export const MetricsSummary = z.strictObject({
  generated_at: Instant,
  tenant: z.string().describe("whose numbers: a tenant, or `*`"),
  tasks: TaskCounts.nullable().describe("null where all tenants are asked for"),
  services: z
    .record(z.string(), z.record(z.string(), z.number()))
    .describe(
      "service → metric → total since ever for these tenants, and for no tenant; approximate: an environment that ends takes along what it had not written",
    ),
  window: z.strictObject({
    from: Instant.describe("the series begin with this whole minute, or, for more than an hour, whole hour"),
    to: Instant,
    seconds: z.number().min(0),
    complete: z.boolean().describe("false: there are more counts than were read"),
  }),
  series: z.array(SeriesSummary).describe("what was counted in the window, by label"),
  spending: z
    .array(z.strictObject({ tenant: z.string(), tokens: z.number(), usd: z.number() }))
    .describe("on models in the window, by tenant"),
  tenants_folded: z.int().min(0).describe("tenants that are added up as `other`"),
  circuits: z.array(
    z.strictObject({
      key: z.string(),
      state: CircuitState,
      open: z.boolean().describe("it lets no calls through, also when an operator forces it"),
      admitted_share: z.number().min(0).max(1),
    }),
  ),
  alerts: z
    .array(z.strictObject({ rule: z.string(), labels: z.record(z.string(), z.string()), since: Instant }))
    .nullable()
    .describe("that fire; null for a tenant that is not in operator_tenants"),
  backlog: z
    .array(BacklogSummary)
    .nullable()
    .describe("of all tenants together; null for a tenant that is not in operator_tenants"),
});
export type MetricsSummary = z.infer<typeof MetricsSummary>;
