import { createMetricsLogger, Unit } from "aws-embedded-metrics";
import type { Log } from "#lib/platform/log/log.ts";
import type { Counters } from "#lib/platform/metrics/counters.ts";
import { writeRollup } from "#lib/platform/metrics/rollup.ts";
import type { Settings } from "#lib/platform/settings/environment.ts";
import type { TableClient } from "#lib/platform/table/operations.ts";

interface MetricsPorts {
  table: TableClient;
  settings: Pick<Settings, "stage" | "shard" | "table_name">;
}

/** Writes an invocation's counts: to the rollup everywhere, and as embedded metrics on AWS. Never throws. */
export async function reportMetrics(
  { service, role }: { service: string; role: string },
  counters: Counters,
  { table, settings }: MetricsPorts,
  log: Log,
): Promise<void> {
  const { stage, shard, table_name } = settings;
  try {
    if (stage !== "local") await emitEmbedded({ service, role, shard }, counters);
    await writeRollup({ service, role, shard }, counters, { table, table_name });
  } catch (error) {
    log.warn("METRICS_LOST", `counts of one invocation were not written: ${String(error)}`);
  }
}

/** https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format.html */
async function emitEmbedded(labels: Record<string, string>, counters: Counters): Promise<void> {
  const metrics = createMetricsLogger();
  metrics.setNamespace("DistributedAgents");
  for (const { metric, tenant, amount } of counters.entries()) {
    metrics.setDimensions({ ...labels, tenant });
    metrics.putMetric(metric, amount, metric.endsWith("_ms_sum") ? Unit.Milliseconds : Unit.Count);
    await metrics.flush();
  }
}
