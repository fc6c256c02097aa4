import { readMinutes } from "#lib/platform/metrics/count-store.ts";
import { foldedTenant } from "#lib/platform/metrics/fold-tenants.ts";
import { queueServices } from "#lib/platform/settings/environment.ts";
import { listCircuits } from "#lib/resilience/circuit/circuit-table.ts";
import { circuitView } from "#lib/resilience/circuit/operate-circuit.ts";
import type { Readings } from "#lib/work/observation/evaluate-rules.ts";
import { knownTenants } from "#lib/work/observation/known-tenants.ts";
import { backlogSamples, circuitSamples, evaluationSample } from "#lib/work/observation/platform-samples.ts";
import { type BacklogPorts, readBacklog } from "#lib/work/observation/read-backlog.ts";
import type { CircuitBreakerConfig } from "#schemas/config/circuit-breaker.ts";
import type { MetricsConfig } from "#schemas/config/metrics.ts";

const HOUR_MS = 3_600_000;

/**
 * Everything that rules are evaluated on: the counts of an hour by minute, queues and circuits. Tenants are folded by all there
 * ever were, as for `GET /api/metrics`: by those of this hour alone, an alert's labels would change with who else is busy.
 */
export async function readForAlerts(
  rules: Pick<MetricsConfig, "named_tenants" | "tenants_max"> & { circuit_breaker: CircuitBreakerConfig },
  last_evaluation_ms: number | undefined,
  ports: BacklogPorts,
): Promise<Readings> {
  const now_ms = ports.runtime.now();
  const [counted, states, tenants] = await Promise.all([
    readMinutes(now_ms - HOUR_MS, now_ms, undefined, ports),
    listCircuits(ports),
    knownTenants(ports),
  ]);
  const labelOf = foldedTenant([...tenants, ...counted.rows.map(({ tenant }) => tenant)], rules);
  const backlog = await readBacklog(queueServices(), async () => tenants, ports);
  const circuits = states.map((state) => ({
    view: circuitView(state, rules.circuit_breaker, now_ms),
    tenant: state.record.tenant,
  }));
  return {
    now_ms,
    minutes: counted.rows.map((row) => ({ ...row, tenant: labelOf(row.tenant) })),
    gauges: [
      ...backlogSamples(backlog),
      ...circuitSamples(circuits, labelOf),
      evaluationSample(last_evaluation_ms === undefined ? 0 : (now_ms - last_evaluation_ms) / 1000),
    ],
  };
}
