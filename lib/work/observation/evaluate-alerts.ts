import type { Log } from "#lib/platform/log/log.ts";
import type { SendPorts } from "#lib/platform/messages/send-message.ts";
import { ALERT } from "#lib/platform/table/items.ts";
import type { TablePorts } from "#lib/platform/table/operations.ts";
import { expiryOf } from "#lib/platform/table/retention.ts";
import { listAlerts, listSilences, moveAlert, noteEvaluation } from "#lib/work/observation/alert-store.ts";
import { alertId, isQuiet, isSilenced, nextAlert } from "#lib/work/observation/alert-transitions.ts";
import { evaluateRule, type Measured, type Readings } from "#lib/work/observation/evaluate-rules.ts";
import { sendNotice, sinksOf } from "#lib/work/observation/send-notices.ts";
import type { AlertRule, AlertsConfig } from "#schemas/config/alerts.ts";
import type { AlertRecord, SilenceRecord } from "#schemas/records/alert.ts";

export interface EvaluationPorts extends TablePorts, SendPorts {
  log: Log;
  alerts(): AlertsConfig;
  /** Throws when anything cannot be read: then nothing is evaluated, and nothing counts as healed. */
  readings(last_evaluation_ms: number | undefined): Promise<Readings>;
}

/**
 * Evaluates every rule, records what changed and sends what is to be told. Each change is one conditional write, and only who made it
 * sends its messages, so however many evaluate at once, one message is sent for each sink. One that dies between leaves
 * `unsent`, which the next one sends. `only_metric`: rules about another metric are left alone. Returns the number of notices.
 */
export async function evaluateAlerts(
  last_evaluation_ms: number | undefined,
  ports: EvaluationPorts,
  { only_metric }: { only_metric?: string } = {},
): Promise<number> {
  const config = ports.alerts();
  const readings = await ports.readings(last_evaluation_ms);
  const { now_ms } = readings;
  const [records, silences] = await Promise.all([listAlerts(ports), listSilences(now_ms, ports)]);
  const known = new Map(records.map((record) => [record.alert_id, record]));
  let notices = 0;
  const rules = only_metric
    ? config.rules.filter(({ expression }) => expression.metric === only_metric)
    : [...config.rules, ...removedRules(records, config)];
  for (const rule of rules) {
    for (const { labels, measured } of alertsOf(rule, records, readings)) {
      const seen = known.get(alertId(rule.name, labels));
      const context = { config, silences, now_ms };
      if (await evaluateOne(rule, { labels, measured, seen }, context, ports)) notices += 1;
    }
  }
  if (!only_metric) await noteEvaluation(now_ms, ports);
  return notices;
}

interface Alert {
  labels: Record<string, string>;
  measured: Measured | undefined;
}

/** What the rule says of each set of labels, and the alerts whose labels have no series any more. */
function alertsOf(rule: AlertRule, records: readonly AlertRecord[], readings: Readings): Alert[] {
  const measures = evaluateRule(rule, readings);
  const ids = new Set(measures.map(({ labels }) => alertId(rule.name, labels)));
  const gone = records.filter((record) => record.rule === rule.name && !ids.has(record.alert_id));
  return [
    ...measures.map((measured) => ({ labels: measured.labels, measured })),
    ...gone.map(({ labels }) => ({ labels, measured: undefined })),
  ];
}

/** Rules that were taken out of the configuration while their alerts stood: nothing is measured for them, so these end. */
function removedRules(records: readonly AlertRecord[], { rules }: AlertsConfig): AlertRule[] {
  const names = new Set(rules.map(({ name }) => name));
  const left = records.filter(({ rule, state }) => state !== "resolved" && !names.has(rule));
  return [...new Set(left.map(({ rule }) => rule))].map((name) => ({
    name,
    summary: "The rule was taken out of configs/alerts.json.",
    severity: "info",
    group: "removed",
    expression: { kind: "gauge", metric: "agents_removed", by: [], aggregate: "max" },
    comparison: "above",
    threshold: 0,
    for_seconds: 0,
    repeat_seconds: null,
    runbook: "alerts",
    sinks: undefined,
  }));
}

/** Unsent messages are sent by another evaluator after so long. */
const UNSENT_MS = 30_000;

async function evaluateOne(
  rule: AlertRule,
  { labels, measured, seen }: Alert & { seen: AlertRecord | undefined },
  { config, silences, now_ms }: { config: AlertsConfig; silences: SilenceRecord[]; now_ms: number },
  ports: EvaluationPorts,
): Promise<boolean> {
  if (seen?.unsent && now_ms - Date.parse(seen.unsent.notice.at) >= UNSENT_MS) await sendUnsent(seen, ports);
  const held = isQuiet(rule, config.quiet_hours, now_ms) || isSilenced(rule.name, labels, silences, now_ms);
  const expires_at = expiryOf(ALERT, now_ms);
  const next = nextAlert(seen, { rule, labels, measured, now_ms, held, expires_at });
  if (!next) return false;
  const notice = next.unsent && next.notices !== seen?.notices ? next.unsent.notice : undefined;
  if (notice && next.unsent) next.unsent.sinks = sinksOf(rule, config);
  if (!(await moveAlert(next, ports))) return false; // another evaluator was first: it sends
  if (next.state !== seen?.state) {
    const code =
      next.state === "resolved"
        ? "ALERT_RESOLVED"
        : next.state === "firing"
          ? "ALERT_FIRING"
          : "ALERT_PENDING";
    const level = next.state === "firing" ? "warn" : "info";
    ports.log[level](code, `alert ${rule.name} is ${next.state}`, {
      rule: rule.name,
      labels,
      value: measured?.value,
    });
  }
  if (!notice) return false;
  await sendUnsent(next, ports);
  return true;
}

/** Sends the messages of a notice and notes that they are in the queue. Safe to repeat. */
async function sendUnsent(record: AlertRecord, ports: EvaluationPorts): Promise<void> {
  const { unsent, ...rest } = record;
  if (!unsent) return;
  for (const sink of unsent.sinks) await sendNotice(sink, unsent.notice, ports);
  const sent = { ...rest, version: record.version + 1 };
  if (await moveAlert(sent, ports)) {
    record.version = sent.version;
    delete record.unsent;
  }
}
