import { z } from "zod";
import { Severity } from "#schemas/config/alerts.ts";
import { Instant, ONE_LINE, SAYS_SOMETHING } from "#schemas/primitives.ts";
import { AlertId } from "#schemas/records/alert.ts";

/** One rule and set of labels, as it stands. */
export const AlertView = z.strictObject({
  alert_id: AlertId,
  rule: z.string(),
  labels: z.record(z.string(), z.string()),
  state: z.enum(["pending", "firing", "resolved"]),
  since: Instant.describe("when the state began"),
  severity: Severity.nullable().describe("null: its rule was taken out"),
  summary: z.string().nullable(),
  value: z.number().nullable().describe("when it was told last"),
  threshold: z.number().nullable(),
  told: z.enum(["nothing", "fired", "resolved"]).describe("what the sinks were told last"),
  silenced: z.boolean(),
  runbook: z.string().nullable(),
});
export type AlertView = z.infer<typeof AlertView>;

export const SilenceView = z.strictObject({
  silence_id: z.string(),
  rule: z.string().describe("`*`: all rules"),
  labels: z.record(z.string(), z.string()),
  until: Instant,
  why: z.string(),
  created_by: z.string(),
});
export type SilenceView = z.infer<typeof SilenceView>;

/** Answer of `GET /api/alerts`. */
export const AlertList = z.strictObject({
  evaluated_at: Instant.nullable().describe("null: never"),
  alerts: z.array(AlertView).describe("those that are pending or fire, and those resolved within a day"),
  silences: z.array(SilenceView),
  rules: z.array(z.string()),
  sinks: z.array(z.strictObject({ name: z.string(), kind: z.string(), severities: z.array(Severity) })),
});
export type AlertList = z.infer<typeof AlertList>;

/** Body of `POST /api/alerts/silences`. */
export const SilenceRequest = z.strictObject({
  rule: z
    .string()
    .regex(/^(\*|[a-z][a-z0-9_-]{0,47})$/)
    .describe("a rule's name, or `*`"),
  labels: z
    .record(z.string().regex(/^[a-z][a-z_]{0,31}$/), z.string().max(100))
    .optional()
    .describe("only alerts with these labels"),
  for_seconds: z.int().min(60).max(2_592_000),
  why: z
    .string()
    .max(300)
    .regex(SAYS_SOMETHING, "something besides blanks")
    .regex(ONE_LINE, "no control character"),
});
export type SilenceRequest = z.infer<typeof SilenceRequest>;

/** Body of `POST /api/alerts/test`. */
export const AlertTest = z.strictObject({
  sink: z
    .string()
    .regex(/^[a-z][a-z0-9_-]{0,47}$/)
    .optional()
    .describe("absent: every sink"),
});

/** Answer of `POST /api/alerts/test`. */
export const AlertTestSent = z.strictObject({
  sinks: z.array(z.string()).describe("to which a notice is on its way"),
});
export type AlertTestSent = z.infer<typeof AlertTestSent>;
