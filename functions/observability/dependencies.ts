import { config } from "#lib/platform/config/config.ts";
import { awsPorts } from "#lib/platform/lambda/aws-ports.ts";
import type { Log } from "#lib/platform/log/log.ts";
import { readForAlerts } from "#lib/work/observation/alert-readings.ts";
import type { EvaluationPorts } from "#lib/work/observation/evaluate-alerts.ts";

/** The real ports, for one evaluation. */
export function evaluationPorts(log: Log): EvaluationPorts {
  const ports = { ...awsPorts(), log, table_name: awsPorts().settings.table_name };
  return {
    ...ports,
    alerts: () => config.alerts().value,
    readings: (last_evaluation_ms) =>
      readForAlerts(
        { ...config.metrics().value, circuit_breaker: config.circuitBreaker().value },
        last_evaluation_ms,
        ports,
      ),
  };
}
