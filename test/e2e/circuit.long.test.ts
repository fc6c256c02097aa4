import { once } from "node:events";
import { cpSync, readFileSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { SendMessageCommand } from "@aws-sdk/client-sqs";
import { afterAll, describe, expect, it, vi } from "vitest";
import { Circuits, type CircuitView } from "#schemas/http/circuits.ts";
import type { FailureList } from "#schemas/http/dead-letters.ts";
import type { ReplayView } from "#schemas/http/replays.ts";
import { temporaryDirectory } from "#test/temporary.ts";
import { runCli } from "../fakes/run-cli.ts";
import { queues } from "./client.ts";
import { tinySource } from "./example.ts";
import { testStack } from "./test-stack.ts";

const POLICY = "codegen.worker.model";
/** One for each endpoint: this one's host and port are in it. */
let KEY = "";
const ANSWER = `\`\`\`diff
--- a/add.js
+++ b/add.js
@@ -1 +1 @@
-export const add = (a, b) => a - b;
+export const add = (a, b) => a + b;
\`\`\``;

/** A model that is down until it is not; it knows how many asked it at one time. */
const model = { healthy: false, asked: 0, asking: 0, asking_max: 0 };
const server = createServer((_, response) => {
  model.asked += 1;
  model.asking += 1;
  model.asking_max = Math.max(model.asking_max, model.asking);
  setTimeout(() => {
    model.asking -= 1;
    if (!model.healthy) response.statusCode = 503;
    response.end(JSON.stringify({ choices: [{ message: { content: ANSWER } }] }));
  }, 300);
});

const configs = temporaryDirectory("configs");
cpSync("configs", configs, { recursive: true });
/** Changes what the shipped policy says of the model's circuit. */
const edit = (changes: object) => {
  const file = join(configs, "circuit_breaker.json");
  const { circuits, ...rest } = JSON.parse(readFileSync("configs/circuit_breaker.json", "utf8"));
  writeFileSync(
    file,
    JSON.stringify({ ...rest, circuits: { [POLICY]: { ...circuits[POLICY], ...changes } } }),
  );
};

afterAll(() => {
  server.close();
});
const { stack, api } = testStack(async () => {
  edit({ open_seconds_base: 3 });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  KEY = `${POLICY}@openai-compatible_127-0-0-1-${port}`;
  const MODEL_URL = `http://127.0.0.1:${port}/v1/chat/completions`;
  return { env: { MODEL_URL, MODEL_NAME: "one-answer", CONFIG_DIRECTORY: configs } };
});

const submit = async () => {
  const { task_id } = await api.submit({
    workflow: "change",
    source: tinySource(false),
    change: { kind: "prompt", text: "add subtracts; make it add" },
    test: "node --test --test-reporter=tap",
  });
  return task_id;
};

async function circuit(): Promise<CircuitView | undefined> {
  const { body } = await api.request("GET", "/api/circuits");
  return Circuits.parse(body).circuits.find(({ key }) => key === KEY);
}

async function counted(metric: string): Promise<number> {
  const { body } = await api.request<{ services: Record<string, Record<string, number>> }>(
    "GET",
    "/api/metrics/summary",
  );
  return Object.values(body.services).reduce((sum, metrics) => sum + (metrics[metric] ?? 0), 0);
}

function lines(code: string): Record<string, unknown>[] {
  return readFileSync(join(stack.data_dir, "stack.log"), "utf8")
    .split("\n")
    .filter((line) => line.includes(`"code":"${code}"`))
    .map((line) => JSON.parse(line.slice(line.indexOf("{"))));
}

async function isEnded(task_id: string): Promise<boolean> {
  const { body } = await api.request<{ ended_at?: string }>("GET", `/api/tasks/${task_id}`);
  return body.ended_at !== undefined && body.ended_at !== null;
}

interface Policy {
  file: string;
  hash: string;
  state: string;
  reason: string;
}

async function policy(): Promise<Policy> {
  const { body } = await api.request<{ policies: Policy[] }>("GET", "/api/policies");
  return body.policies.find(({ file }) => file === "circuit_breaker.json")!;
}

const patience = { timeout: 90_000, interval: 200 };

describe("a model that fails every question, then heals", () => {
  it("has its circuit opened, tried by one probe at a time and closed; every task succeeds", async () => {
    const tasks = [await submit(), await submit(), await submit()];
    await vi.waitUntil(async () => (await circuit())?.state === "open", patience);
    const asked_before = model.asked;
    await vi.waitUntil(async () => ((await circuit())?.opens ?? 0) >= 2, patience);
    expect(model.asked - asked_before).toBeGreaterThanOrEqual(1);
    model.asking_max = 0;
    model.healthy = true;
    await vi.waitUntil(async () => (await circuit())?.state === "closed", patience);
    expect(model.asking_max).toBe(1);
    for (const task_id of tasks) {
      const view = await api.ended(task_id);
      expect(view, JSON.stringify(view.error)).toMatchObject({ status: "succeeded", verdict: "passed" });
    }
  });

  it("leaves each transition in the trail, the log and the metrics", async () => {
    const { trail, state } = (await circuit())!;
    expect(state).toBe("closed");
    const events = trail.map(({ event }) => event);
    expect(events.slice(0, 3)).toEqual(["opened", "half_opened", "opened"]);
    expect(events.slice(-2)).toEqual(["half_opened", "closed"]);
    expect(trail[0]!.code).toBe("CONSECUTIVE_FAILURES");
    expect(new Set(trail.map(({ policy_hash }) => /^[0-9a-f]{64}$/.test(policy_hash)))).toEqual(
      new Set([true]),
    );
    for (const event of ["opened", "half_opened", "closed"] as const) {
      const times = events.filter((each) => each === event).length;
      await expect.poll(() => lines(`CIRCUIT_${event.toUpperCase()}`), patience).toHaveLength(times);
      await vi.waitUntil(async () => (await counted(`circuit_${event}`)) === times, patience);
    }
    expect(lines("CIRCUIT_OPENED")[0]).toMatchObject({
      circuit: KEY,
      why: "CONSECUTIVE_FAILURES",
      service: "codegen",
    });
  });
});

describe("a replay job", () => {
  const FAILURES = 5;
  const path = "/api/dlq/replays";

  it("pauses when a circuit of an agent that it sends to opens, and goes on when it is resumed", async () => {
    const { sqs, queueUrl } = queues(stack.data_dir);
    for (let sent = 0; sent < FAILURES; sent += 1) {
      await sqs.send(
        new SendMessageCommand({ QueueUrl: queueUrl("codegen"), MessageBody: `nonsense ${sent}` }),
      );
    }
    sqs.destroy();
    const failures = async () => {
      const { body } = await api.request<FailureList>("GET", "/api/dlq/failures?queue=codegen");
      return body.failures.length;
    };
    await vi.waitUntil(async () => (await failures()) === FAILURES, patience);
    const body = { selection: { filter: { queue: "codegen" } }, rate_per_second: 0.1 };
    const { body: job } = await api.request<ReplayView>("POST", path, body);
    const now = async () => (await api.request<ReplayView>("GET", `${path}/${job.replay_id}`)).body;
    const command = async (name: string) =>
      (await api.request<ReplayView>("POST", `${path}/${job.replay_id}/${name}`)).body;
    const pending = (least: number, most: number) => async () => {
      const { counts } = await now();
      return counts.total === FAILURES && counts.pending >= least && counts.pending <= most;
    };
    await vi.waitUntil(pending(1, FAILURES - 1), patience);
    model.healthy = false;
    const tasks = [await submit(), await submit(), await submit()];
    await vi.waitUntil(async () => (await now()).state !== "running", patience);
    const paused = await now();
    expect(paused).toMatchObject({ state: "paused", because: "REPLAY_CIRCUIT_OPEN" });
    expect(paused.says).toContain(KEY);
    model.healthy = true;
    await vi.waitUntil(async () => (await circuit())?.state === "closed", patience);
    expect(await now()).toEqual(paused);
    expect(await command("resume")).toMatchObject({ state: "running", because: null });
    await vi.waitUntil(pending(0, paused.counts.pending - 1), patience);
    if ((await now()).state === "running") await command("abort");
    for (const task_id of tasks) expect(await api.ended(task_id)).toMatchObject({ verdict: "passed" });
  }, 300_000);
});

describe("an operator", () => {
  it("holds a circuit open through the CLI: nothing is asked until it is reset", async () => {
    const cli = (...words: string[]) => runCli([...words, "--url", stack.url, "--key", api.key]);
    const held = await cli("circuits", "open", KEY, "--why", "maintenance", "--for", "600");
    expect([held.code, held.stdout]).toEqual([0, expect.stringContaining("forced open")]);
    const held_back = async () => {
      const task_id = await submit();
      const returns = () => lines("MESSAGE_PARKED").some((line) => line.task_id === task_id);
      await vi.waitUntil(async () => returns() || (await isEnded(task_id)), patience);
      return returns();
    };
    await vi.waitUntil(held_back, patience); // a view of a healthy circuit is up to 10 s old
    const { asked } = model;
    expect(await held_back()).toBe(true);
    const shown = await cli("circuits");
    expect(shown.stdout).toContain("maintenance");
    expect((await circuit())?.forced).toMatchObject({
      state: "open",
      by: expect.stringMatching(/^key:[0-9a-f]{16}$/),
    });
    expect(model.asked).toBe(asked);
    expect((await cli("circuits", "reset", KEY, "--why", "done")).code).toBe(0);
    expect((await circuit())?.trail.slice(-2).map(({ event }) => event)).toEqual(["forced_open", "reset"]);
    await vi.waitUntil(async () => (await counted("circuit_forced_open")) === 1, patience);
  });

  it("is told that there is no such circuit, and that a command needs a reason", async () => {
    const command = { action: "reset", why: "no reason" };
    const unknown = await api.request("POST", "/api/circuits/no.such.circuit", command);
    expect(unknown).toMatchObject({ status: 404, body: { code: "CIRCUIT_NOT_FOUND" } });
    expect((await api.request("POST", `/api/circuits/${KEY}`, { action: "reset" })).status).toBe(422);
  });
});

describe("a policy edited while the stack runs", () => {
  it("changes the next decision; a bad edit changes nothing and says so", async () => {
    const before = await policy();
    model.healthy = false;
    edit({ consecutive_failures_open: 1 });
    await submit();
    const opened = await vi.waitUntil(async () => {
      const last = (await circuit())!.trail.at(-1)!;
      return last.event === "opened" && last.code === "CONSECUTIVE_FAILURES" ? last : undefined;
    }, patience);
    expect(opened.why).toMatch(/^[12] calls in a row failed$/);
    expect(opened.policy_hash).not.toBe(before.hash);
    edit({ failure_rate_open: 7 });
    const refused = await vi.waitUntil(async () => {
      const seen = await policy();
      return seen.state === "rejected" ? seen : undefined;
    }, patience);
    expect(refused.reason).toContain("failure_rate_open is 7");
    expect(refused.hash).toBe(opened.policy_hash);
    model.healthy = true;
  });
});
