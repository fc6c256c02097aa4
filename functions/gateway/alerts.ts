import { HttpError } from "#lib/platform/errors/http-error.ts";
import { instant } from "#lib/platform/runtime/runtime.ts";
import { SILENCE } from "#lib/platform/table/items.ts";
import { expiryOf } from "#lib/platform/table/retention.ts";
import {
  createSilence,
  lastEvaluation,
  listAlerts,
  listSilences,
} from "#lib/work/observation/alert-store.ts";
import { alertId, isSilenced, noticeOf } from "#lib/work/observation/alert-transitions.ts";
import { sendNotice } from "#lib/work/observation/send-notices.ts";
import type { AlertRule, AlertsConfig } from "#schemas/config/alerts.ts";
import type {
  AlertList,
  AlertTestSent,
  AlertView,
  SilenceRequest,
  SilenceView,
} from "#schemas/http/alerts.ts";
import type { AlertRecord, SilenceRecord } from "#schemas/records/alert.ts";
import type { Administrator } from "./administrator.ts";
import type { GatewayPorts } from "./ports.ts";

const DAY_MS = 86_400_000;

/** What stands, what is silenced, and where it is told. */
export async function listAlertState(config: AlertsConfig, ports: GatewayPorts): Promise<AlertList> {
  const now = ports.runtime.now();
  const [records, silences, evaluated_ms] = await Promise.all([
    listAlerts(ports),
    listSilences(now, ports),
    lastEvaluation(ports),
  ]);
  const shown = records.filter(
    ({ state, since }) => state !== "resolved" || now - Date.parse(since) < DAY_MS,
  );
  return {
    evaluated_at: evaluated_ms === undefined ? null : instant(evaluated_ms),
    alerts: shown.map((record) => alertView(record, config, silences, now)),
    silences: silences.map(silenceView),
    rules: config.rules.map(({ name }) => name),
    sinks: Object.entries(config.sinks).map(([name, { kind, severities }]) => ({ name, kind, severities })),
  };
}

function alertView(
  { alert_id, rule: name, labels, state, since, told, told_value }: AlertRecord,
  { rules }: AlertsConfig,
  silences: readonly SilenceRecord[],
  now_ms: number,
): AlertView {
  const rule = rules.find((each) => each.name === name);
  return {
    ...{ alert_id, rule: name, labels, state, since, told },
    severity: rule?.severity ?? null,
    summary: rule?.summary ?? null,
    value: told_value ?? null,
    threshold: rule?.threshold ?? null,
    silenced: isSilenced(name, labels, silences, now_ms),
    runbook: rule?.runbook ?? null,
  };
}

function silenceView({ silence_id, rule, labels, until, why, created_by }: SilenceRecord): SilenceView {
  return { silence_id, rule, labels, until, why, created_by };
}

/** Silences a rule for a time. Throws HttpError 404 `ALERT_RULE_UNKNOWN`. */
export async function silence(
  { rule, labels = {}, for_seconds, why }: SilenceRequest,
  { rules }: AlertsConfig,
  { subject, audited }: Administrator,
  ports: GatewayPorts,
): Promise<SilenceView> {
  if (rule !== "*" && !rules.some(({ name }) => name === rule)) {
    const names = rules.map(({ name }) => name).join(", ");
    throw new HttpError("ALERT_RULE_UNKNOWN", `configs/alerts.json has no rule ${rule}; it has ${names}`);
  }
  const now = ports.runtime.now();
  const until_ms = now + for_seconds * 1000;
  const record: SilenceRecord = {
    silence_id: ports.runtime.hex(8),
    ...{ rule, labels, why },
    until: instant(until_ms),
    created_by: subject,
    created_at: instant(now),
    expires_at: expiryOf(SILENCE, until_ms),
  };
  const detail = { why, until: record.until };
  await audited({ action: "alert.silence", target: rule, detail }, () => createSilence(record, ports));
  return silenceView(record);
}

const TEST_RULE: AlertRule = {
  name: "test",
  summary: "Somebody tests where alerts are told. There is nothing to do.",
  severity: "info",
  group: "alerts",
  expression: { kind: "gauge", metric: "agents_alerts_firing", by: [], aggregate: "sum" },
  comparison: "above",
  threshold: 0,
  for_seconds: 0,
  repeat_seconds: null,
  runbook: "alerts",
};

/** Sends a test notice to one sink, or to all. Throws HttpError 404 `ALERT_SINK_NOT_FOUND`. */
export async function testSinks(
  sink: string | undefined,
  { sinks }: AlertsConfig,
  { audited }: Administrator,
  ports: GatewayPorts,
): Promise<AlertTestSent> {
  const names = Object.keys(sinks);
  if (sink !== undefined && !names.includes(sink)) {
    const there = names.length > 0 ? `it has ${names.join(", ")}` : "it has none";
    throw new HttpError("ALERT_SINK_NOT_FOUND", `configs/alerts.json has no sink ${sink}; ${there}`);
  }
  const asked = sink === undefined ? names : [sink];
  const at = instant(ports.runtime.now());
  const alert_id = alertId("test", { test: ports.runtime.uuid() });
  const notice = noticeOf(
    "test",
    { alert_id, notices: 1, since: at },
    { rule: TEST_RULE, labels: {}, value: 0, at },
  );
  await audited({ action: "alert.test", target: sink ?? "*" }, async () => {
    for (const name of asked) await sendNotice(name, notice, ports);
  });
  return { sinks: asked };
}
