import { config } from "#lib/platform/config/config.ts";
import { lastEvaluation } from "#lib/work/observation/alert-store.ts";
import { type EvaluationPorts, evaluateAlerts } from "#lib/work/observation/evaluate-alerts.ts";
import { evaluationSample } from "#lib/work/observation/platform-samples.ts";
import type { AlertsConfig } from "#schemas/config/alerts.ts";

const METRIC = "agents_alert_evaluation_age_seconds";
/** Alerts are evaluated every minute: a silence this long is looked into. */
const SILENT_MS = 120_000;

/**
 * Evaluates the rules about the evaluator's own silence, for it cannot do that while it is silent. To be called by another scheduled
 * function. One read while all is well. Returns the number of notices.
 */
export async function watchEvaluator(
  ports: Omit<EvaluationPorts, "alerts" | "readings">,
  alerts: () => AlertsConfig = () => config.alerts().value,
): Promise<number> {
  const last_ms = await lastEvaluation(ports);
  const now_ms = ports.runtime.now();
  if (last_ms === undefined || now_ms - last_ms < SILENT_MS) return 0;
  const gauges = [evaluationSample((now_ms - last_ms) / 1000)];
  const readings = async () => ({ now_ms, minutes: [], gauges });
  return evaluateAlerts(last_ms, { ...ports, alerts, readings }, { only_metric: METRIC });
}
