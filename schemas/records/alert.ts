import { z } from "zod";
import { Severity } from "#schemas/config/alerts.ts";
import { Instant } from "#schemas/primitives.ts";

export const AlertId = z
  .string()
  .regex(/^[0-9a-f]{32}$/)
  .describe("from its rule and labels");

export const NoticeKind = z.enum(["fired", "repeated", "resolved", "test"]);

/** What is to be told of an alert, whole, so that it says the same however late it is sent. */
export const Notice = z.strictObject({
  alert_id: AlertId,
  number: z.int().min(0).describe("grows by one with each notice of the alert"),
  kind: NoticeKind,
  rule: z.string(),
  summary: z.string(),
  severity: Severity,
  group: z.string(),
  labels: z.record(z.string(), z.string()),
  value: z.number().nullable().describe("null: there is none any more"),
  previous_value: z.number().nullable().describe("when it was told last; null: never"),
  comparison: z.enum(["above", "below"]),
  threshold: z.number(),
  since: Instant.describe("when the state began that is told"),
  at: Instant.describe("when it was noticed"),
  runbook: z.string(),
});
export type Notice = z.infer<typeof Notice>;

/** One rule and one set of labels: pk `ALERTS`, sk its id. Moved only on condition of its `version`. */
export const AlertRecord = z.strictObject({
  alert_id: AlertId,
  rule: z.string(),
  labels: z.record(z.string(), z.string()),
  state: z.enum(["pending", "firing", "resolved"]),
  since: Instant.describe("when the state began"),
  told: z.enum(["nothing", "fired", "resolved"]).describe("what people know"),
  told_at: Instant.optional(),
  told_value: z.number().optional(),
  notices: z.int().min(0).describe("how many there were"),
  unsent: z
    .strictObject({ notice: Notice, sinks: z.array(z.string()) })
    .optional()
    .describe("a notice whose messages may not all be in the queue"),
  version: z.int().min(1).describe("grows by one with every write"),
  expires_at: z.int(),
});
export type AlertRecord = z.infer<typeof AlertRecord>;

/** Alerts of a rule that are not told for a time: pk `SILENCES`, sk its id. */
export const SilenceRecord = z.strictObject({
  silence_id: z.string().regex(/^[0-9a-f]{16}$/),
  rule: z.string().describe("`*`: all rules"),
  labels: z.record(z.string(), z.string()).describe("only alerts with these labels"),
  until: Instant,
  why: z.string(),
  created_by: z.string(),
  created_at: Instant,
  expires_at: z.int(),
});
export type SilenceRecord = z.infer<typeof SilenceRecord>;
