import type { Identity } from "#lib/http/auth/identity.ts";
import { HttpError } from "#lib/platform/errors/http-error.ts";
import type { TimedMetric } from "#lib/platform/metrics/catalogue.ts";
import { HISTOGRAMS } from "#lib/platform/metrics/catalogue.ts";
import { addedUp, type CountRow, readTotals, readWindow } from "#lib/platform/metrics/count-store.ts";
import { BLOCK_MS, beginningOf, type CountWindow, windowOf } from "#lib/platform/metrics/count-windows.ts";
import { PLATFORM_TENANT } from "#lib/platform/metrics/counters.ts";
import { FOLDED_TENANT, foldTenants } from "#lib/platform/metrics/fold-tenants.ts";
import {
  counterSamples,
  histogramOf,
  histogramSamples,
  quantileOf,
  type Sample,
} from "#lib/platform/metrics/series.ts";
import { instant } from "#lib/platform/runtime/runtime.ts";
import { queueServices } from "#lib/platform/settings/environment.ts";
import { listCircuits } from "#lib/resilience/circuit/circuit-table.ts";
import { circuitView } from "#lib/resilience/circuit/operate-circuit.ts";
import { lastEvaluation, listAlerts } from "#lib/work/observation/alert-store.ts";
import { knownTenants } from "#lib/work/observation/known-tenants.ts";
import {
  backlogSamples,
  circuitSamples,
  evaluationSample,
  firingSamples,
  isOpen,
  metricsSamples,
  type OwnedCircuit,
  taskSamples,
} from "#lib/work/observation/platform-samples.ts";
import { readBacklog } from "#lib/work/observation/read-backlog.ts";
import { countTasks } from "#lib/work/tasks/count-tasks.ts";
import type { CircuitBreakerConfig } from "#schemas/config/circuit-breaker.ts";
import type { MetricsSummary, SeriesSummary } from "#schemas/http/metrics-summary.ts";
import type { ExposedSeries } from "./exposition.ts";
import { type MetricsQuery, windowSeconds } from "./metrics-query.ts";
import type { GatewayPorts } from "./ports.ts";

const ALL = "*";

/** Whose numbers a caller is shown. */
export interface MetricsScope {
  /** A tenant, or `*`. */
  tenant: string;
  /** The caller belongs to an operators' tenant: sees what no tenant owns, such as queues. */
  operator: boolean;
}

/**
 * A caller sees its own tenant's numbers and the platform's. With scope `operate`, operators of `operator_tenants` see any
 * tenant's, or all. Throws HttpError 403 `OPERATOR_TENANT_REQUIRED`.
 */
export function metricsScope(
  asked: string | undefined,
  { tenant, scopes }: Pick<Identity, "tenant" | "scopes">,
  operator_tenants: readonly string[],
): MetricsScope {
  const operator = operator_tenants.includes(tenant);
  const wanted = asked ?? tenant;
  if (wanted === tenant || (operator && scopes.includes("operate"))) return { tenant: wanted, operator };
  throw new HttpError(
    "OPERATOR_TENANT_REQUIRED",
    `the numbers of ${wanted === ALL ? "all tenants" : `tenant ${wanted}`} are shown to a key with scope operate of a tenant in operator_tenants of configs/authentication.json`,
  );
}

/** What a reading needs beyond the gateway's ports, as the operator configured it. */
export interface MetricsRules {
  named_tenants: string[];
  tenants_max: number;
  circuit_breaker: CircuitBreakerConfig;
}

/** The series in the window, the totals, and how everything stands now. */
export async function summarize(
  query: MetricsQuery,
  scope: MetricsScope,
  rules: MetricsRules,
  ports: GatewayPorts,
): Promise<MetricsSummary> {
  const now = ports.runtime.now();
  const window = windowOf(windowSeconds(query.window) * 1000, now);
  const owners = ownersOf(scope);
  const [tasks, totals, windows, circuits, firing] = await Promise.all([
    scope.tenant === ALL ? null : countTasks(scope.tenant, ports),
    readAll(owners, (owner) => readTotals(owner, now, ports)),
    readAll(owners, (owner) => readWindow(window, owner, ports)),
    visibleCircuits(scope, rules, ports),
    scope.operator ? firingAlerts(ports) : null,
  ]);
  const waiting = unwritten(owners, ports);
  const all = [...totals.rows, ...waiting];
  const backlog = scope.operator
    ? await readBacklog(queueServices(), () => knownTenants(ports), ports)
    : null;
  const folded = foldTenants([...windows.rows, ...waiting], rules);
  const seconds = (window.to_ms - window.from_ms) / 1000;
  const shown = folded.rows.filter((row) =>
    (["service", "role", "shard"] as const).every(
      (label) => query[label] === undefined || query[label] === row[label],
    ),
  );
  return {
    generated_at: instant(now),
    tenant: scope.tenant,
    tasks,
    services: byService(all),
    window: windowView(window, seconds, windows.complete && totals.complete),
    series: shown.map((row) => seriesOf(row, seconds)),
    spending: spendingOf(shown),
    tenants_folded: folded.folded,
    circuits: circuits.map(({ view }) => ({
      key: view.key,
      state: view.state,
      open: isOpen(view),
      admitted_share: view.admitted_share,
    })),
    alerts: firing?.map(({ rule, labels, since }) => ({ rule, labels, since })) ?? null,
    backlog,
  };
}

async function firingAlerts(ports: GatewayPorts) {
  return (await listAlerts(ports)).filter(({ state }) => state === "firing");
}

/** Everything that is exposed for a scrape: totals since ever, and how everything stands now. */
export async function exposedSeries(
  scope: MetricsScope,
  rules: MetricsRules,
  ports: GatewayPorts,
): Promise<ExposedSeries> {
  const now = ports.runtime.now();
  const owners = ownersOf(scope);
  const [totals, circuits] = await Promise.all([
    readAll(owners, (owner) => readTotals(owner, now, ports)),
    visibleCircuits(scope, rules, ports),
  ]);
  const all = [...totals.rows, ...unwritten(owners, ports)];
  const { rows, shown, folded } = foldTenants(all, rules);
  const own = scope.tenant === ALL ? shown : [scope.tenant];
  const [tasks, ...of_platform] = await Promise.all([
    Promise.all(own.map(async (tenant) => taskSamples(tenant, await countTasks(tenant, ports)))),
    ...(scope.operator ? platformReadings(ports) : []),
  ]);
  const labelOf = (tenant: string) => (own.includes(tenant) ? tenant : FOLDED_TENANT);
  return {
    counters: counterSamples(rows),
    histograms: histogramSamples(rows),
    gauges: [
      ...of_platform.flat(),
      ...circuitSamples(circuits, labelOf),
      ...tasks.flat(),
      ...metricsSamples(folded, lagSeconds(totals.progress, now)),
    ],
  };
}

/** What belongs to no tenant: queues, and how alerts are doing. */
function platformReadings(ports: GatewayPorts): Promise<Sample[]>[] {
  const age = async () => {
    const evaluated_ms = await lastEvaluation(ports);
    return evaluated_ms === undefined ? [] : [evaluationSample((ports.runtime.now() - evaluated_ms) / 1000)];
  };
  return [
    readBacklog(queueServices(), () => knownTenants(ports), ports).then(backlogSamples),
    firingAlerts(ports).then((alerts) => firingSamples(alerts.map(({ rule }) => rule))),
    age(),
  ];
}

/** The tenants whose rows are read; undefined for all at once. */
function ownersOf({ tenant }: MetricsScope): (string | undefined)[] {
  return tenant === ALL ? [undefined] : [tenant, PLATFORM_TENANT];
}

async function readAll<Read extends { rows: CountRow[]; complete: boolean; progress?: string | undefined }>(
  owners: readonly (string | undefined)[],
  read: (owner: string | undefined) => Promise<Read>,
) {
  const parts = await Promise.all(owners.map(read));
  return {
    rows: parts.flatMap(({ rows }) => rows),
    complete: parts.every(({ complete }) => complete),
    progress: parts[0]?.progress,
  };
}

/** What this environment has not written yet: on a laptop all functions are in one process. */
function unwritten(owners: readonly (string | undefined)[], { counts }: GatewayPorts): CountRow[] {
  return owners.flatMap((owner) => counts.pending(owner));
}

async function visibleCircuits(
  { tenant }: MetricsScope,
  { circuit_breaker }: MetricsRules,
  ports: GatewayPorts,
): Promise<OwnedCircuit[]> {
  const now = ports.runtime.now();
  const states = await listCircuits(ports);
  return states
    .filter(({ record }) => tenant === ALL || record.tenant === undefined || record.tenant === tenant)
    .map((state) => ({ view: circuitView(state, circuit_breaker, now), tenant: state.record.tenant }));
}

function byService(rows: readonly CountRow[]): MetricsSummary["services"] {
  const services: MetricsSummary["services"] = {};
  for (const { service, amounts } of rows) {
    const sums = services[service] ?? {};
    services[service] = sums;
    for (const [name, amount] of amounts) sums[name] = (sums[name] ?? 0) + amount;
  }
  return services;
}

function windowView(
  { from_ms, to_ms }: CountWindow,
  seconds: number,
  complete: boolean,
): MetricsSummary["window"] {
  return { from: instant(from_ms), to: instant(to_ms), seconds, complete };
}

/** Sums of durations: they are told as `durations`. */
const OF_DURATIONS = /_(ms_sum|count|le_\d+)$/;

function seriesOf({ amounts, service, role, shard, tenant }: CountRow, seconds: number): SeriesSummary {
  const counts = Object.fromEntries([...amounts].filter(([name]) => !OF_DURATIONS.test(name)));
  const rates = Object.entries(counts).map(([name, count]) => [name, count / Math.max(1, seconds)] as const);
  const durations = (Object.keys(HISTOGRAMS) as TimedMetric[]).flatMap((metric) => {
    const histogram = histogramOf(amounts, metric);
    if (!histogram) return [];
    const { count, sum_seconds } = histogram;
    const summary = {
      count,
      mean_seconds: sum_seconds / count,
      p50_seconds: quantileOf(histogram, 0.5),
      p95_seconds: quantileOf(histogram, 0.95),
      p99_seconds: quantileOf(histogram, 0.99),
    };
    return [[metric, summary] as const];
  });
  return {
    ...{ service, role, shard, tenant, counts },
    per_second: Object.fromEntries(rates),
    durations: Object.fromEntries(durations),
  };
}

function spendingOf(rows: readonly CountRow[]): MetricsSummary["spending"] {
  const nowhere = { service: "", role: "", shard: "" };
  return addedUp(rows.map((row) => ({ ...row, ...nowhere }))).flatMap(({ tenant, amounts }) => {
    const tokens = amounts.get("model_tokens") ?? 0;
    const usd = (amounts.get("model_usd_micros") ?? 0) / 1e6;
    return tokens === 0 && usd === 0 ? [] : [{ tenant, tokens, usd }];
  });
}

function lagSeconds(progress: string | undefined, now_ms: number): number | undefined {
  return progress === undefined ? undefined : (now_ms - beginningOf(progress) - BLOCK_MS) / 1000;
}
