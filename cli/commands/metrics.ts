import { Command } from "commander";
import { MetricsSummary } from "#schemas/http/metrics-summary.ts";
import { askAndShow, queryOf } from "../ask-and-show.ts";
import { metricsTable } from "../render/metrics-table.ts";

const EXAMPLES = `
Examples:
  $ agents metrics
  $ agents metrics --window 24h --service codegen
  $ agents metrics --tenant '*' --json | jq '.series[] | select(.tenant == "other")'`;

interface Options {
  window?: string;
  tenant?: string;
  service?: string;
  role?: string;
  shard?: string;
}

const metrics = askAndShow({
  ask: (api, { window, tenant, service, role, shard }: Options) =>
    api.get(MetricsSummary, `/api/metrics/summary${queryOf({ window, tenant, service, role, shard })}`),
  lines: metricsTable,
});

export function metricsCommand(): Command {
  return new Command("metrics")
    .summary("show what was counted, and what stands still")
    .description("Show tasks, counts and durations by service, circuits, backlog, and what models cost.")
    .option("--window <span>", "how far back, such as 5m, 1h or 24h (1h)")
    .option("--tenant <tenant>", "another tenant, or '*' for all: for operators")
    .option("--service <service>", "only this service")
    .option("--role <role>", "only this role")
    .option("--shard <shard>", "only this shard")
    .addHelpText("after", EXAMPLES)
    .action(metrics);
}
