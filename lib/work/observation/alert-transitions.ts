import { createHash } from "node:crypto";
import { instant } from "#lib/platform/runtime/runtime.ts";
import type { Measured } from "#lib/work/observation/evaluate-rules.ts";
import type { AlertRule, QuietHours } from "#schemas/config/alerts.ts";
import type { AlertRecord, Notice, SilenceRecord } from "#schemas/records/alert.ts";

/** An alert's id: the same for the same rule and labels, in whatever order. */
export function alertId(rule: string, labels: Record<string, string>): string {
  const sorted = Object.entries(labels).sort(([a], [b]) => (a < b ? -1 : 1));
  return createHash("sha256")
    .update(JSON.stringify([rule, sorted]))
    .digest("hex")
    .slice(0, 32);
}

/** An alert at one evaluation. */
interface Situation {
  rule: AlertRule;
  labels: Record<string, string>;
  /** Undefined when its labels have no series any more. */
  measured: Measured | undefined;
  now_ms: number;
  /** Quiet hours or a silence: what is due waits. */
  held: boolean;
  expires_at: number;
}

/**
 * How an alert stands after an evaluation, and what is to be told; undefined when nothing has to be written. Follows from the
 * record and the measure alone, so evaluators that saw the same want the same.
 */
export function nextAlert(seen: AlertRecord | undefined, situation: Situation): AlertRecord | undefined {
  const { rule, labels, now_ms, expires_at } = situation;
  const moved = moveState(seen, situation);
  if (!moved) return undefined;
  const kind = dueNotice(moved, situation);
  if (moved === seen && !kind) return undefined;
  const next: AlertRecord = { ...moved, version: (seen?.version ?? 0) + 1, expires_at };
  if (!kind) return next;
  const number = next.notices + 1;
  const at = instant(now_ms);
  const notice = noticeOf(
    kind,
    { ...next, notices: number },
    { rule, labels, value: situation.measured?.value, at },
  );
  const { unsent: _, ...rest } = next;
  return {
    ...rest,
    notices: number,
    told: kind === "resolved" ? "resolved" : "fired",
    told_at: at,
    ...(situation.measured && { told_value: situation.measured.value }),
    unsent: { notice, sinks: [] },
  };
}

/** The state by the measure. The same object when it stays as it is; undefined when there is nothing to record. */
function moveState(seen: AlertRecord | undefined, situation: Situation): AlertRecord | undefined {
  const { rule, labels, measured, now_ms, expires_at } = situation;
  const breached = measured?.breached === true;
  const since = instant(now_ms);
  const begun = rule.for_seconds === 0 ? ("firing" as const) : ("pending" as const);
  if (!seen) {
    if (!breached) return undefined;
    const alert_id = alertId(rule.name, labels);
    const identity = { alert_id, rule: rule.name, labels };
    return { ...identity, state: begun, since, told: "nothing", notices: 0, version: 0, expires_at };
  }
  if (!breached) return seen.state === "resolved" ? seen : { ...seen, state: "resolved", since };
  if (seen.state === "resolved") return { ...seen, state: begun, since };
  const held_ms = now_ms - Date.parse(seen.since);
  const fires = seen.state === "pending" && held_ms >= rule.for_seconds * 1000;
  return fires ? { ...seen, state: "firing", since } : seen;
}

function dueNotice(
  { state, told, told_at }: AlertRecord,
  { rule, now_ms, held }: Situation,
): Notice["kind"] | undefined {
  if (held) return undefined;
  if (state === "resolved") return told === "fired" ? "resolved" : undefined;
  if (state !== "firing") return undefined;
  if (told !== "fired") return "fired";
  const silent_ms = now_ms - Date.parse(told_at ?? "");
  return rule.repeat_seconds !== null && silent_ms >= rule.repeat_seconds * 1000 ? "repeated" : undefined;
}

/** What is told of an alert. */
export function noticeOf(
  kind: Notice["kind"],
  record: Pick<AlertRecord, "alert_id" | "notices" | "since" | "told_value">,
  told: { rule: AlertRule; labels: Record<string, string>; value: number | undefined; at: string },
): Notice {
  const { name, summary, severity, group, comparison, threshold, runbook } = told.rule;
  return {
    alert_id: record.alert_id,
    number: record.notices,
    kind,
    ...{ rule: name, summary, severity, group, labels: told.labels },
    value: told.value ?? null,
    previous_value: record.told_value ?? null,
    ...{ comparison, threshold, since: record.since, at: told.at, runbook },
  };
}

/** Whether a rule's notices wait for the end of the quiet hours. */
export function isQuiet({ severity }: AlertRule, quiet: QuietHours | null, now_ms: number): boolean {
  if (!quiet?.severities.includes(severity)) return false;
  const time = instant(now_ms).slice(11, 16);
  const { from, to } = quiet;
  return from <= to ? time >= from && time < to : time >= from || time < to;
}

/** Whether a silence holds back the alert. */
export function isSilenced(
  rule: string,
  labels: Record<string, string>,
  silences: readonly SilenceRecord[],
  now_ms: number,
): boolean {
  return silences.some(
    (silence) =>
      Date.parse(silence.until) > now_ms &&
      (silence.rule === "*" || silence.rule === rule) &&
      Object.entries(silence.labels).every(([name, value]) => labels[name] === value),
  );
}
