import { createMetricsLogger, Unit } from "aws-embedded-metrics";
import type { Log } from "#lib/platform/log/log.ts";
import { type Counters, PLATFORM_TENANT } from "#lib/platform/metrics/counters.ts";
import type { Settings } from "#lib/platform/settings/environment.ts";
import { additions } from "#lib/platform/table/expressions.ts";
import { METRIC_TOTALS } from "#lib/platform/table/items.ts";
import { keyOf, partitionOf, recordFields, sortFields } from "#lib/platform/table/keys.ts";
import { ADDED_MAX } from "#lib/platform/table/limits.ts";
import { type TableClient, type TablePorts, updateItem } from "#lib/platform/table/operations.ts";
import { queryAll } from "#lib/platform/table/queries.ts";

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

const TENANTS_MAX = 100;
const OTHER = "other";

export interface RollupRow {
  service: string;
  role: string;
  shard: string;
  tenant: string;
  metric: string;
  value: number;
}

/** Tenants that already have columns in a rollup, per service; beyond the cap a tenant counts as `other`. */
const knownTenants = new Map<string, Set<string>>();

function columnTenant(service: string, tenant: string): string {
  const known = knownTenants.get(service);
  if (tenant === PLATFORM_TENANT) return tenant;
  return !known || known.has(tenant) || known.size < TENANTS_MAX ? tenant : OTHER;
}

/** Adds an invocation's counts to its service's totals, with one write for up to 200 columns. */
export async function writeRollup(
  labels: { service: string; role: string; shard: string },
  counters: Counters,
  ports: TablePorts,
): Promise<void> {
  const entries = counters.entries();
  if (entries.length === 0) return;
  const sums = new Map<string, number>();
  for (const { metric, tenant, amount } of entries) {
    const column = `${metric}|${columnTenant(labels.service, tenant)}`;
    sums.set(column, (sums.get(column) ?? 0) + amount);
  }
  for (let start = 0; start < sums.size; start += ADDED_MAX) {
    await addColumns(labels, [...sums].slice(start, start + ADDED_MAX), ports);
  }
}

async function addColumns(
  labels: { service: string; role: string; shard: string },
  columns: [string, number][],
  ports: TablePorts,
): Promise<void> {
  const { expression, names, values } = additions(columns);
  const update = { update: `ADD ${expression}`, names, values, returns: "ALL_NEW" } as const;
  const written = await updateItem(keyOf(METRIC_TOTALS, labels), update, ports);
  const tenants = Object.keys(written).map((name) => name.split("|")[1] ?? OTHER);
  knownTenants.set(labels.service, new Set(tenants));
}

/** All totals, one row for each service, role, shard, tenant and metric. */
export async function readRollups(ports: TablePorts): Promise<RollupRow[]> {
  const items = await queryAll(partitionOf(METRIC_TOTALS, {}), {}, ports);
  return items.flatMap((item) => {
    const labels = sortFields(METRIC_TOTALS, item);
    return Object.entries(recordFields(item)).map(([name, value]) => {
      const [metric = "", tenant = ""] = name.split("|");
      return { ...labels, tenant, metric, value: Number(value) };
    });
  });
}
