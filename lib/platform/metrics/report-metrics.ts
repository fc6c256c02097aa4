import { createMetricsLogger, Unit } from "aws-embedded-metrics";
import type { Log } from "#lib/platform/log/log.ts";
import type { CountBuffer } from "#lib/platform/metrics/count-buffer.ts";
import type { Counters } from "#lib/platform/metrics/counters.ts";
import type { Runtime } from "#lib/platform/runtime/runtime.ts";
import type { Settings } from "#lib/platform/settings/environment.ts";
import type { TableClient } from "#lib/platform/table/operations.ts";

interface MetricsPorts {
  counts: CountBuffer;
  table: TableClient;
  runtime: Pick<Runtime, "now">;
  settings: Pick<Settings, "stage" | "shard" | "table_name">;
}

/**
 * Reports the counts of an invocation that served so many messages: as embedded metrics on AWS at once, and in the
 * table with the counts of other invocations, when they are due. Never throws.
 */
export async function reportMetrics(
  { service, role }: { service: string; role: string },
  { counters, served }: { counters: Counters; served: number },
  { counts, settings, ...ports }: MetricsPorts,
  log: Log,
): Promise<void> {
  const { stage, shard, table_name } = settings;
  const labels = { service, role, shard };
  counts.add(labels, counters, served);
  try {
    if (stage !== "local") await emitEmbedded(embeddedNamespace(stage), labels, counters);
  } catch (error) {
    log.warn("METRICS_LOST", `embedded metrics of one invocation were not written: ${String(error)}`);
  }
  await counts.flush({ ...ports, table_name, log });
}

/** The CloudWatch namespace of a stage's metrics: stages of one account stay apart. */
export function embeddedNamespace(stage: string): string {
  return `DistributedAgents/${stage}`;
}

/** https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format.html */
async function emitEmbedded(
  namespace: string,
  labels: Record<string, string>,
  counters: Counters,
): Promise<void> {
  const metrics = createMetricsLogger();
  metrics.setNamespace(namespace);
  for (const { metric, tenant, amount } of counters.entries()) {
    metrics.setDimensions({ ...labels, tenant });
    metrics.putMetric(metric, amount, metric.endsWith("_ms_sum") ? Unit.Milliseconds : Unit.Count);
    await metrics.flush();
  }
}
