import type { MetricsSummary } from "#schemas/http/metrics-summary.ts";
import { formatDuration } from "./format.ts";
import type { Paint } from "./paint.ts";

/** Tasks, then a line for each service with what it did in the window, then what stands still. */
export function metricsTable(summary: MetricsSummary, paint: Paint): string[] {
  const { window, tenants_folded } = summary;
  const span = formatDuration(window.seconds * 1000);
  return [
    ...taskLines(summary),
    paint.bold(`In the last ${span}, since ${window.from}:`),
    ...seriesLines(summary, paint),
    ...spendingLines(summary),
    ...alertLines(summary, paint),
    ...circuitLines(summary, paint),
    ...backlogLines(summary, paint),
    ...(tenants_folded > 0
      ? [paint.dim(`${tenants_folded} more tenants are added up as other: configs/metrics.json`)]
      : []),
    ...(window.complete
      ? []
      : [paint.yellow("There is more than was read: ask for one tenant, or less time.")]),
  ];
}

function taskLines({ tasks }: MetricsSummary): string[] {
  if (tasks === null) return [];
  const ended = Object.entries(tasks.ended).map(([status, number]) => `${number} ${status}`);
  const more = tasks.complete ? "" : ", and more";
  return [`Tasks of 24 hours: ${[`${tasks.open} open`, ...ended].join(", ")}${more}`];
}

function seriesLines({ series, tenant }: MetricsSummary, paint: Paint): string[] {
  if (series.length === 0) return [paint.dim("  Nothing was counted.")];
  return series.flatMap(({ service, role, shard, tenant: owner, counts, durations }) => {
    const whose = tenant === "*" || owner !== tenant ? ` of ${owner}` : "";
    const numbers = Object.entries(counts).map(([metric, number]) => `${metric} ${number}`);
    const times = Object.entries(durations).map(
      ([metric, { count, p50_seconds, p95_seconds, p99_seconds }]) =>
        `    ${metric}: ${count} times, half within ${formatDuration(p50_seconds * 1000)}, 95 % within ${formatDuration(p95_seconds * 1000)}, 99 % within ${formatDuration(p99_seconds * 1000)}`,
    );
    const line = `  ${service}/${role}/${shard}${whose}: ${numbers.join(", ") || "no counts"}`;
    return [line, ...times.map((time) => paint.dim(time))];
  });
}

function spendingLines({ spending }: MetricsSummary): string[] {
  return spending.map(
    ({ tenant, tokens, usd }) => `Spent on models by ${tenant}: ${tokens} tokens, ${usd.toFixed(4)} USD`,
  );
}

function alertLines({ alerts }: MetricsSummary, paint: Paint): string[] {
  return (alerts ?? []).map(({ rule, since }) =>
    paint.red(`✗ Alert ${rule} fires since ${since}: agents alerts`),
  );
}

function circuitLines({ circuits }: MetricsSummary, paint: Paint): string[] {
  return circuits
    .filter(({ open, admitted_share }) => open || admitted_share < 1)
    .map(({ key, open, admitted_share }) =>
      open
        ? paint.red(`✗ Circuit ${key} lets no calls through`)
        : paint.yellow(`· Circuit ${key} lets ${Math.round(admitted_share * 100)} % of calls through`),
    );
}

function backlogLines({ backlog }: MetricsSummary, paint: Paint): string[] {
  return (backlog ?? []).flatMap(({ service, waiting, in_flight, dead_lettered, ...ages }) => {
    const waits =
      waiting + in_flight === 0 ? [] : [waitLine(service, waiting, in_flight, ages.oldest_age_seconds)];
    const age = formatDuration(ages.dead_letter_age_seconds * 1000);
    const dead =
      dead_lettered === 0 ? [] : [`✗ ${service}-dlq: ${dead_lettered} messages, the oldest for ${age}`];
    return [...waits, ...dead.map((line) => paint.red(line))];
  });
}

function waitLine(service: string, waiting: number, in_flight: number, age_seconds: number): string {
  return `· ${service}: ${waiting} messages wait, ${in_flight} are worked on, the oldest for ${formatDuration(age_seconds * 1000)}`;
}
