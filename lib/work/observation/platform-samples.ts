import type { GaugeName } from "#lib/platform/metrics/catalogue.ts";
import { PLATFORM_TENANT } from "#lib/platform/metrics/counters.ts";
import type { Labels, Sample } from "#lib/platform/metrics/series.ts";
import type { Backlog } from "#lib/work/observation/read-backlog.ts";
import type { CircuitView } from "#schemas/http/circuits.ts";
import type { TaskCounts } from "#schemas/http/metrics-summary.ts";

const SHARD = "0";

function gauge(name: GaugeName, labels: Labels, value: number): Sample {
  return { name, labels, value };
}

/** The backlog of the queues as gauges; it is of all tenants together. */
export function backlogSamples(backlogs: readonly Backlog[]): Sample[] {
  return backlogs.flatMap((backlog) => {
    const labels = { service: backlog.service, role: "queue", shard: SHARD, tenant: PLATFORM_TENANT };
    const of_dead = { ...labels, role: "dlq" };
    return [
      gauge("agents_queue_messages", { ...labels, state: "waiting" }, backlog.waiting),
      gauge("agents_queue_messages", { ...labels, state: "in_flight" }, backlog.in_flight),
      gauge("agents_queue_oldest_age_seconds", labels, backlog.oldest_age_seconds),
      gauge("agents_dead_letters", of_dead, backlog.dead_lettered),
      gauge("agents_dead_letter_oldest_age_seconds", of_dead, backlog.dead_letter_age_seconds),
    ];
  });
}

/** A circuit, and the tenant whose own it is; undefined when all share it. */
export interface OwnedCircuit {
  view: CircuitView;
  tenant: string | undefined;
}

/** Circuits as gauges, each folded to the tenant that `labelOf` says. Of several with the same labels the worst one is told. */
export function circuitSamples(
  circuits: readonly OwnedCircuit[],
  labelOf: (tenant: string) => string,
): Sample[] {
  const samples = new Map<string, { labels: Labels; open: number; damped: number }>();
  for (const { view, tenant } of circuits) {
    const [service = "", role = "", dependency = ""] = view.key.split(".");
    const owner = tenant === undefined ? PLATFORM_TENANT : labelOf(tenant);
    const labels = {
      service,
      role,
      shard: SHARD,
      tenant: owner,
      circuit: [service, role, dependency].join("."),
    };
    const open = isOpen(view) ? 1 : 0;
    const damped = open || view.forced ? 0 : 1 - view.admitted_share;
    const key = JSON.stringify(labels);
    const known = samples.get(key);
    samples.set(key, {
      labels,
      open: Math.max(open, known?.open ?? 0),
      damped: Math.max(damped, known?.damped ?? 0),
    });
  }
  return [...samples.values()].flatMap(({ labels, open, damped }) => [
    gauge("agents_circuit_open", labels, open),
    gauge("agents_circuit_damped_ratio", labels, damped),
  ]);
}

/** Whether a circuit lets no calls through, as it stands or as an operator forces it. */
export function isOpen({ state, forced }: CircuitView): boolean {
  return forced ? forced.state === "open" : state !== "closed";
}

/** A tenant's tasks as gauges: exact. */
export function taskSamples(tenant: string, { open, ended, verdicts }: TaskCounts): Sample[] {
  const labels = { service: "orchestrator", role: "ledger", shard: SHARD, tenant };
  return [
    gauge("agents_tasks", { ...labels, status: "open" }, open),
    ...Object.entries(ended).map(([status, count]) => gauge("agents_tasks", { ...labels, status }, count)),
    ...Object.entries(verdicts).map(([verdict, count]) =>
      gauge("agents_task_verdicts", { ...labels, verdict }, count),
    ),
  ];
}

const OF_METRICS = { service: "observability", shard: SHARD, tenant: PLATFORM_TENANT };

/** Since alerts were evaluated last. */
export function evaluationSample(age_seconds: number): Sample {
  return gauge("agents_alert_evaluation_age_seconds", { ...OF_METRICS, role: "observer" }, age_seconds);
}

/** Alerts that fire, by rule. */
export function firingSamples(rules: readonly string[]): Sample[] {
  return [...new Set(rules)].map((rule) => {
    const labels = { ...OF_METRICS, role: "observer", rule };
    return gauge("agents_alerts_firing", labels, rules.filter((each) => each === rule).length);
  });
}

/** How metrics themselves are doing. */
export function metricsSamples(folded: number, lag_seconds: number | undefined): Sample[] {
  const labels = { ...OF_METRICS, role: "metrics" };
  return [
    gauge("agents_tenants_folded", labels, folded),
    ...(lag_seconds === undefined ? [] : [gauge("agents_metrics_rollup_lag_seconds", labels, lag_seconds)]),
  ];
}
