import { cpSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { PurgeQueueCommand, SendMessageCommand } from "@aws-sdk/client-sqs";
import { afterAll, beforeAll, expect, it, vi } from "vitest";
import { COUNTERS, HISTOGRAMS } from "#lib/platform/metrics/catalogue.ts";
import { AlertsConfig } from "#schemas/config/alerts.ts";
import { AlertList } from "#schemas/http/alerts.ts";
import { MetricsSummary } from "#schemas/http/metrics-summary.ts";
import { needing } from "#test/needing.ts";
import { temporaryDirectory } from "#test/temporary.ts";
import { type Stack, startStack } from "../../local/stack.ts";
import { prometheusRules } from "../../scripts/generate/prometheus-rules-file.ts";
import { type ApiClient, developmentClient, queues } from "../e2e/client.ts";
import { promtool } from "./programs.ts";
import { type FiringAlert, type PrometheusServer, startPrometheus } from "./start-prometheus.ts";

const patience = { timeout: 200_000, interval: 500 };
const TASKS = 3;
const FAILING = 6;
const ON_ANY_STACK = ["failure_rate", "dlq_not_empty", "configuration_refused"];

/** The shipped rules about faults that can be made here, over the shortest window, so that nobody waits long for them to heal. */
function quickRules(): AlertsConfig {
  const shipped = AlertsConfig.parse(JSON.parse(readFileSync("configs/alerts.json", "utf8")));
  const rules = shipped.rules
    .filter(({ name }) => ON_ANY_STACK.includes(name))
    .map((rule) => {
      const { expression } = rule;
      const quick = expression.kind === "gauge" ? expression : { ...expression, window_seconds: 60 };
      return { ...rule, for_seconds: 0, expression: quick };
    });
  return { ...shipped, rules };
}

(await needing("Prometheus")).describe("a Prometheus that scrapes the running stack", () => {
  const rules = prometheusRules(quickRules()).text;
  let configs: string;
  let stack: Stack;
  let api: ApiClient;
  let prometheus: PrometheusServer;
  const ended: string[] = [];

  beforeAll(async () => {
    configs = temporaryDirectory("configs");
    cpSync("configs", configs, { recursive: true });
    writeFileSync(join(configs, "alerts.json"), JSON.stringify(quickRules()));
    stack = await startStack({ env: { CONFIG_DIRECTORY: configs, BUBBLEWRAP_PATH: "none" } });
    api = developmentClient(stack.url, stack.data_dir);
    prometheus = await startPrometheus({
      directory: temporaryDirectory("prometheus"),
      stack_url: stack.url,
      key: api.key,
      rules,
    });
  });
  afterAll(async () => {
    await prometheus?.stop();
    await stack?.stop();
    if (stack) rmSync(stack.data_dir, { recursive: true, force: true });
  });

  const run = async (profile: string, count: number) => {
    const body = {
      workflow: "run",

      source: { kind: "inline", files: { "a.txt": "a" } },
      profile,
      command: "true",
    };
    const tasks = await Promise.all(Array.from({ length: count }, () => api.submit(body)));
    ended.push(
      ...(await Promise.all(tasks.map(({ task_id }) => api.ended(task_id)))).map(({ status }) => status),
    );
  };
  const summary = async () =>
    MetricsSummary.parse((await api.request("GET", "/api/metrics/summary?tenant=*")).body);
  /** The summary's total of each counter and count of durations, over all services, by what Prometheus calls it. */
  const totals = async (): Promise<Map<string, number>> => {
    const services = Object.values((await summary()).services);
    const over = (sums: readonly string[]) =>
      services.flatMap((of_service) => sums.map((each) => of_service[each] ?? 0)).reduce((a, b) => a + b, 0);
    return new Map([
      ...Object.entries(COUNTERS).map(([name, family]): [string, number] => {
        const { sums, scale = 1 } = family as { sums: Record<string, string>; scale?: number };
        return [name, over(Object.keys(sums)) * scale];
      }),
      ...Object.entries(HISTOGRAMS).flatMap(([metric, { name }]): [string, number][] => [
        [`${name}_count`, over([`${metric}_count`])],
        [`${name}_bucket{le="+Inf"}`, over([`${metric}_count`])],
      ]),
    ]);
  };
  const oursFiring = async (): Promise<FiringAlert[]> =>
    AlertList.parse((await api.request("GET", "/api/alerts")).body)
      .alerts.filter(({ state }) => state === "firing")
      .map(({ rule, labels }) => ({ rule, labels }));
  const sum = async (expression: string) =>
    (await prometheus.query(expression)).reduce((total, { value }) => total + value, 0);

  it("fires for the same faults as the platform's own rules, with the same labels", async () => {
    await run("trusted", TASKS);
    const { sqs, queueUrl } = queues(stack.data_dir);
    const file = join(configs, "retry_policy.json");
    const good = readFileSync(file, "utf8");
    // A rule takes a series that it has not met before for growth once Prometheus has looked for a whole window.
    await vi.waitFor(
      async () => expect(await prometheus.query("agents_tenants_folded offset 60s")).toHaveLength(1),
      patience,
    );
    expect(await prometheus.firing()).toEqual([]);
    await sqs.send(new SendMessageCommand({ QueueUrl: queueUrl("indexing"), MessageBody: "{}" }));
    writeFileSync(file, '{"attempts_max": -1}');
    await run("standard", FAILING);
    const faults = [
      "configuration_refused {}",
      'dlq_not_empty {"service":"indexing"}',
      'failure_rate {"service":"sandbox"}',
    ];
    const named = (alerts: FiringAlert[]) =>
      alerts.map(({ rule, labels }) => `${rule} ${JSON.stringify(labels)}`).sort();
    await vi.waitFor(async () => {
      expect(named(await prometheus.firing())).toEqual(expect.arrayContaining(faults));
      expect(named(await oursFiring())).toEqual(expect.arrayContaining(faults));
      expect(named(await prometheus.firing())).toEqual(named(await oursFiring()));
    }, patience);
    writeFileSync(file, good);
    sqs.destroy();
  });

  it("adds up, over labels, to the summary's totals and to the tasks that ran", async () => {
    await vi.waitFor(async () => {
      expect(await sum("agents_tasks_ended_total")).toBe(TASKS + FAILING);
      expect(await sum("agents_tasks")).toBe(TASKS + FAILING);
      expect(await sum('agents_task_verdicts{verdict="error"}')).toBe(FAILING);
      expect(await sum('agents_steps_total{verdict="passed"}')).toBe(TASKS);
    }, patience);
    // The platform goes on counting its own requests, so each sum lies between the totals before and after; what stands still is equal.
    const before = await totals();
    await vi.waitFor(async () => {
      for (const [name, total] of before) expect(await sum(name), name).toBeGreaterThanOrEqual(total);
    }, patience);
    const scraped = new Map<string, number>();
    for (const name of before.keys()) scraped.set(name, await sum(name));
    const after = await totals();
    for (const [name, total] of after) expect(scraped.get(name), name).toBeLessThanOrEqual(total);
    const still = [...after].filter(([name, total]) => total > 0 && total === before.get(name));
    expect(still.length).toBeGreaterThan(3);
  });

  it("finds nothing to say of names, help and types, nor of the shipped rules", async () => {
    const response = await fetch(`${stack.url}/api/metrics`, {
      headers: { authorization: `Bearer ${api.key}` },
    });
    expect(await promtool(["check", "metrics"], await response.text())).toBe("");
    expect(await promtool(["check", "rules", "dashboards/prometheus-rules.yml"])).toMatch(
      "SUCCESS: 12 rules",
    );
  });

  it("takes every query of the Grafana dashboard", async () => {
    const { panels } = JSON.parse(readFileSync("dashboards/grafana.json", "utf8"));
    const queries = panels.flatMap(({ targets = [] }: { targets?: { expr: string }[] }) => targets);
    expect(queries.length).toBeGreaterThan(40);
    for (const { expr } of queries)
      await prometheus.query(expr.replaceAll("$__rate_interval", "1m").replace(/"\$\w+"/g, '".*"'));
    const steps = queries.find(({ expr }: { expr: string }) => expr.includes("agents_steps_total"));
    const shown = steps.expr.replaceAll("$__rate_interval", "10m").replace(/"\$\w+"/g, '".*"');
    expect(await prometheus.query(shown)).toMatchObject([
      { labels: { service: "sandbox", verdict: "error" } },
      { labels: { service: "sandbox", verdict: "passed" } },
    ]);
  });

  it("finds the faults healed when the platform's own rules do", async () => {
    const { sqs, deadLetterQueueUrl } = queues(stack.data_dir);
    await vi.waitFor(async () => {
      // Again and again, for the local SQS spares the messages that the sweep of dead letters holds at that time.
      await sqs.send(new PurgeQueueCommand({ QueueUrl: deadLetterQueueUrl("indexing") }));
      expect(await oursFiring()).toEqual([]);
      expect(await prometheus.firing()).toEqual([]);
    }, patience);
    sqs.destroy();
  });
});
