import { PLATFORM_TENANT } from "#lib/platform/metrics/counters.ts";
import { readRollups } from "#lib/platform/metrics/rollup.ts";
import { instant } from "#lib/platform/runtime/runtime.ts";
import type { MetricsSummary } from "#schemas/http/metrics-summary.ts";
import type { GatewayPorts } from "./ports.ts";

/** What a tenant's work came to, by service. Durations are `<metric>_ms_sum` over `<metric>_count`. */
export async function metricsSummary(tenant: string, ports: GatewayPorts): Promise<MetricsSummary> {
  const services: MetricsSummary["services"] = {};
  for (const row of await readRollups(ports)) {
    if (row.tenant !== tenant && row.tenant !== PLATFORM_TENANT) continue;
    services[row.service] ??= {};
    const metrics = services[row.service] ?? {};
    metrics[row.metric] = (metrics[row.metric] ?? 0) + row.value;
  }
  return { generated_at: instant(ports.runtime.now()), services };
}
