import { z } from "zod";
import { ONE_LINE } from "#schemas/primitives.ts";

const Name = z.string().regex(/^[a-z][a-z0-9_-]{0,47}$/);
const Metric = z
  .string()
  .regex(/^agents_[a-z_]{1,80}$/)
  .describe("a metric of docs/reference/metrics.md");
const LabelValue = z.string().regex(/^[A-Za-z0-9_.-]{1,100}$/);
const LabelName = z.string().regex(/^[a-z][a-z_]{0,31}$/);
const TimeOfDay = z.string().regex(/^([01][0-9]|2[0-3]):[0-5][0-9]$/);
const Line = z.string().min(1).max(300).regex(ONE_LINE, "no control character");

export const Severity = z.enum(["critical", "warning", "info"]);
export type Severity = z.infer<typeof Severity>;

const Labels = z.record(LabelName, LabelValue).describe("only series with these labels").optional();
const By = z
  .array(LabelName)
  .max(5)
  .describe("an alert for each value of these labels; what differs in others is added up");
/** Counts are read minute by minute only so far back. */
const Window = z.int().min(60).max(3600).describe("how far back counts are looked at, in seconds");

const Selected = { metric: Metric, labels: Labels };

/** What is measured. */
export const AlertExpression = z.discriminatedUnion("kind", [
  z.strictObject({
    kind: z.literal("gauge").describe("how it stands now"),
    ...Selected,
    by: By,
    aggregate: z.enum(["sum", "max"]).describe("of the series that fall together"),
  }),
  z.strictObject({
    kind: z.literal("increase").describe("how much a counter grew in the window"),
    ...Selected,
    by: By,
    window_seconds: Window,
  }),
  z.strictObject({
    kind: z.literal("ratio").describe("the growth of a counter as a share of another's"),
    ...Selected,
    of: z.strictObject(Selected).describe("the whole"),
    of_min: z.number().min(1).describe("with less of the whole than this nothing is said"),
    by: By,
    window_seconds: Window,
  }),
  z.strictObject({
    kind: z.literal("quantile").describe("the duration that the share `quantile` stayed below, in seconds"),
    ...Selected,
    quantile: z.number().min(0).max(1).describe("such as 0.95"),
    by: By,
    window_seconds: Window,
  }),
]);
export type AlertExpression = z.infer<typeof AlertExpression>;

export const QuietHours = z.strictObject({
  from: TimeOfDay.describe("UTC"),
  to: TimeOfDay.describe("UTC; before `from` it is on the next day"),
  severities: z.array(Severity).max(3).describe("alerts that wait until the quiet hours are over"),
});
export type QuietHours = z.infer<typeof QuietHours>;

export const AlertRule = z.strictObject({
  name: Name.describe("what the rule is called"),
  summary: Line.describe("what it means that it fires, in one sentence"),
  severity: Severity.describe("how much it matters; sinks take some severities only"),
  group: Name.describe("rules of one concern, for the reader"),
  expression: AlertExpression,
  comparison: z.enum(["above", "below"]).describe("on which side of the threshold it fires"),
  threshold: z.number().describe("in the unit of the metric; of a ratio a share of 1"),
  for_seconds: z.int().min(0).max(86_400).describe("it must hold so long before it fires"),
  repeat_seconds: z
    .int()
    .min(300)
    .max(604_800)
    .nullable()
    .describe("told again after so long while it fires; null: never"),
  runbook: z
    .string()
    .regex(/^[a-z][a-z0-9-]{0,63}$/)
    .describe("in docs/runbooks/, without .md"),
  sinks: z
    .array(Name)
    .max(10)
    .optional()
    .describe("where it is told; absent: to every sink that takes its severity"),
});
export type AlertRule = z.infer<typeof AlertRule>;

const Common = {
  severities: z.array(Severity).min(1).max(3).describe("alerts that are told there"),
  messages_per_second: z
    .number()
    .min(0.01)
    .max(100)
    .describe("no more than this; Google Chat takes one a second for each space"),
};

/** Where alerts are told. Its URL is a secret, and stands in the environment variable ALERT_SINKS under the sink's name; so does a topic. */
export const AlertSink = z.discriminatedUnion("kind", [
  z.strictObject({
    kind: z.literal("google_chat"),
    ...Common,
    threads: z.boolean().describe("one thread for each alert; only spaces with named threads take it"),
  }),
  z.strictObject({ kind: z.literal("slack").describe("a webhook as Slack has them"), ...Common }),
  z.strictObject({ kind: z.literal("webhook").describe("a POST signed as webhooks are"), ...Common }),
  z.strictObject({ kind: z.literal("sns").describe("a topic of Amazon SNS"), ...Common }),
]);
export type AlertSink = z.infer<typeof AlertSink>;

/** `configs/alerts.json`: what people are told of, when and where. */
export const AlertsConfig = z.strictObject({
  $schema: z.string(),
  console_url: z
    .url()
    .max(500)
    .nullable()
    .describe("where the API of this stage is, for links; null: no links to it"),
  runbook_url: z
    .url()
    .max(500)
    .nullable()
    .describe("the folder of the runbooks, for links; null: only their names"),
  quiet_hours: QuietHours.nullable(),
  sinks: z.record(Name, AlertSink).describe("by name; none: alerts are listed only"),
  rules: z.array(AlertRule).max(100),
});
export type AlertsConfig = z.infer<typeof AlertsConfig>;
