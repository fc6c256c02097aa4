import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PurgeQueueCommand, SendMessageCommand } from "@aws-sdk/client-sqs";
import { afterAll, beforeAll, expect, it, vi } from "vitest";
import { AlertList } from "#schemas/http/alerts.ts";
import { MetricsSummary } from "#schemas/http/metrics-summary.ts";
import { chatSpace } from "#test/fakes/chat-space.ts";
import { runCli } from "#test/fakes/run-cli.ts";
import { type Stack, startStack } from "../../local/stack.ts";
import { type ApiClient, developmentClient, queues, tenantClient } from "./client.ts";

const SECRET_PART = "key-that-nobody-may-see";
const patience = { timeout: 180_000, interval: 250 };
const configs = mkdtempSync(join(tmpdir(), "configs-"));
let receiver: Awaited<ReturnType<typeof chatSpace>>;
let stack: Stack;
let api: ApiClient;

beforeAll(async () => {
  receiver = await chatSpace();
  cpSync("configs", configs, { recursive: true });
  const file = join(configs, "alerts.json");
  const ops = {
    kind: "google_chat",
    severities: ["critical", "info"],
    messages_per_second: 1,
    threads: true,
  };
  const shipped = JSON.parse(readFileSync(file, "utf8"));
  // As many passing steps as failing ones heal it: fewer than by the shipped threshold.
  for (const rule of shipped.rules) if (rule.name === "failure_rate") rule.threshold = 0.5;
  writeFileSync(file, JSON.stringify({ ...shipped, sinks: { ops } }));
  const ALERT_SINKS = JSON.stringify({ ops: { url: `${receiver.url}?key=${SECRET_PART}` } });
  stack = await startStack({ env: { CONFIG_DIRECTORY: configs, ALERT_SINKS, BUBBLEWRAP_PATH: "none" } });
  api = developmentClient(stack.url, stack.data_dir);
});
afterAll(async () => {
  await stack?.stop();
  await receiver?.close();
  if (stack) rmSync(stack.data_dir, { recursive: true, force: true });
  rmSync(configs, { recursive: true, force: true });
});

const titles = () => receiver.titles();

it("a dead letter is told as one card, and its end as another; nothing else is told, and no secret is logged", async () => {
  const { sqs, queueUrl, deadLetterQueueUrl } = queues(stack.data_dir);
  await sqs.send(new SendMessageCommand({ QueueUrl: queueUrl("sandbox"), MessageBody: "{}" }));
  await vi.waitUntil(() => receiver.received.length > 0, patience);
  expect(titles()).toEqual(["dlq_not_empty fires"]);
  const { body } = await api.request("GET", "/api/alerts");
  expect(AlertList.parse(body).alerts).toMatchObject([
    { rule: "dlq_not_empty", labels: { service: "sandbox" }, state: "firing", told: "fired" },
  ]);
  const summary = MetricsSummary.parse((await api.request("GET", "/api/metrics/summary")).body);
  expect(summary.alerts).toMatchObject([{ rule: "dlq_not_empty" }]);
  const dead = summary.backlog?.find(({ service }) => service === "sandbox");
  expect(dead?.dead_lettered).toBe(1);
  expect(dead?.dead_letter_age_seconds).toBeGreaterThan(0);

  await sqs.send(new PurgeQueueCommand({ QueueUrl: deadLetterQueueUrl("sandbox") }));
  await vi.waitUntil(() => receiver.received.length > 1, patience);
  expect(titles()).toEqual(["dlq_not_empty fires", "dlq_not_empty is resolved"]);
  sqs.destroy();
  expect(readFileSync(join(stack.data_dir, "stack.log"), "utf8")).not.toContain(SECRET_PART);
});

it("an operator lists, tests and silences; others may not", async () => {
  const options = { url: stack.url, key: api.key };
  const list = await runCli(["alerts", "list"], options);
  expect(list.stdout).toContain("Told to: ops (google_chat: critical, info)");
  const before = receiver.received.length;
  expect((await runCli(["alerts", "test", "--sink", "ops"], options)).stdout).toContain("on its way to ops");
  await vi.waitUntil(() => receiver.received.length > before, patience);
  expect(titles().at(-1)).toBe("test is only a test");
  const silence = [
    "alerts",
    "silence",
    "backlog",
    "--for",
    "2h",
    "--why",
    "moving",
    "--label",
    "service=sandbox",
  ];
  expect((await runCli(silence, options)).stdout).toContain("Silenced: backlog {service=sandbox} until");
  expect(
    (await runCli(["alerts", "silence", "none", "--for", "2h", "--why", "x"], options)).stderr,
  ).toContain("configs/alerts.json has no rule none");
  const other = await tenantClient(stack.url, stack.data_dir, "other");
  for (const [method, path, body] of [
    ["GET", "/api/alerts", undefined],
    ["POST", "/api/alerts/test", {}],
    ["POST", "/api/alerts/silences", { rule: "*", for_seconds: 60, why: "x" }],
  ] as const) {
    const { status, body: problem } = await other.request<{ code: string }>(method, path, body);
    expect([status, problem.code]).toEqual([403, "OPERATOR_TENANT_REQUIRED"]);
  }
  expect((await runCli(["metrics", "--window", "5m"], options)).stdout).toContain(
    "Tasks of 24 hours: 0 open",
  );
});

it("failures over the threshold are told as one card that Google Chat takes, and healing as another", async () => {
  const FAILING = 5;
  const run = async (profile: string) => {
    const source = { kind: "inline", files: { "a.txt": "a" } };
    const { task_id } = await api.submit({ workflow: "run", source, command: "true", profile });
    return api.ended(task_id);
  };
  const many = (profile: string) => Promise.all(Array.from({ length: FAILING }, () => run(profile)));
  const before = receiver.received.length;
  const failed = await many("standard"); // which wants bubblewrap, and this stack has none
  expect(new Set(failed.map(({ verdict }) => verdict))).toEqual(new Set(["error"]));
  const last_ms = Math.max(...failed.map(({ ended_at }) => Date.parse(ended_at ?? "")));
  await vi.waitUntil(() => receiver.received.length > before, patience);
  const seconds = (receiver.received[before]!.at_ms - last_ms) / 1000;
  console.log(`alerts: a card ${seconds.toFixed(1)} s after the last failure had ended`);
  expect(titles().slice(before)).toEqual(["failure_rate fires"]);
  expect(receiver.received[before]!.body).toContain("sandbox");

  await many("trusted");
  await vi.waitUntil(() => receiver.received.length > before + 1, patience);
  expect(titles().slice(before)).toEqual(["failure_rate fires", "failure_rate is resolved"]);
  expect(receiver.faults).toEqual([]);
});
