import { once } from "node:events";
import { cpSync, readFileSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { afterAll, describe, expect, it, vi } from "vitest";
import { Policies } from "#schemas/http/policies.ts";
import type { StepView, TaskView } from "#schemas/http/task-view.ts";
import { temporaryDirectory } from "#test/temporary.ts";
import { tinySource } from "./example.ts";
import { testStack } from "./test-stack.ts";

const ANSWER = `\`\`\`diff
--- a/add.js
+++ b/add.js
@@ -1 +1 @@
-export const add = (a, b) => a - b;
+export const add = (a, b) => a + b;
\`\`\``;
const COMPLETION = JSON.stringify({ choices: [{ message: { content: ANSWER } }] });

const configs = temporaryDirectory("configs");
cpSync("configs", configs, { recursive: true });
const file = join(configs, "retry_policy.json");
const shipped = JSON.parse(readFileSync(file, "utf8"));
const edit = (overrides: object[]) => writeFileSync(file, JSON.stringify({ ...shipped, overrides }));

interface Answer {
  status: number;
  headers?: Record<string, string>;
  body: string;
}
/** What the model answers from now on. */
let answer: () => Answer;
const asked: number[] = [];
const model = createServer((_, response) => {
  asked.push(Date.now());
  const { status, headers, body } = answer();
  response.writeHead(status, headers).end(body);
});
afterAll(() => {
  model.close();
});
const { api } = testStack(async () => {
  model.listen(0, "127.0.0.1");
  await once(model, "listening");
  const MODEL_URL = `http://127.0.0.1:${(model.address() as AddressInfo).port}/v1/chat/completions`;
  return { env: { MODEL_URL, MODEL_NAME: "some-model", CONFIG_DIRECTORY: configs } };
});

const patience = { timeout: 60_000, interval: 100 };
const change = (fields: object = {}) => ({
  workflow: "change",
  source: tinySource(false),
  change: { kind: "prompt", text: "add subtracts; make it add" },
  test: "node --test --test-reporter=tap",
  ...fields,
});
async function codegen(task_id: string): Promise<StepView | undefined> {
  const { body } = await api.request<TaskView>("GET", `/api/tasks/${task_id}`);
  return body.steps.find(({ step }) => step === "codegen");
}
async function policy() {
  const { body } = await api.request("GET", "/api/policies");
  return Policies.parse(body).policies.find((one) => one.file === "retry_policy.json")!;
}
async function inForce(before: string | null): Promise<void> {
  await vi.waitUntil(async () => (await policy()).hash !== before, patience);
}

describe("the retry policy, edited while a task is being tried again", () => {
  it("decides the very next failure", async () => {
    answer = () => ({ status: 503, body: "" });
    const slow = {
      match: { dependency: "model" },
      jitter: "decorrelated",
      backoff_ms_base: 15_000,
      backoff_ms_max: 20_000,
    };
    const { hash } = await policy();
    edit([slow]);
    await inForce(hash);
    const { task_id } = await api.submit(change());
    await vi.waitUntil(async () => (await codegen(task_id))?.status === "waiting", patience);
    expect((await codegen(task_id))?.attempts).toBe(1);
    const { hash: before } = await policy();
    edit([{ ...slow, dispositions: { MODEL_UNAVAILABLE: "terminal" } }]);
    await inForce(before);
    const view = await api.ended(task_id);
    expect(view).toMatchObject({ verdict: "error", error: { code: "MODEL_UNAVAILABLE" } });
    expect(view.steps.find(({ step }) => step === "codegen")?.attempts).toBe(2);
    expect(asked.length).toBe(2);
  });

  it("changes nothing when the edit is not valid, and says why", async () => {
    edit([]);
    await vi.waitUntil(async () => (await policy()).state === "in_force", patience);
    const { hash } = await policy();
    edit([{ match: { service: "codegen" }, dispositions: { STEP_PARKED: "terminal" } }]);
    const refused = await vi.waitUntil(async () => {
      const one = await policy();
      return one.state === "rejected" ? one : undefined;
    }, patience);
    expect(refused.hash).toBe(hash);
    expect(refused.reason).toContain("a policy cannot change what becomes of");
    expect(refused.reason).toContain("/overrides/0/dispositions");
  });
});

describe("a model whose quota is spent until T", () => {
  it("parks the step until T, visibly, and then gets its answer on the first attempt", async () => {
    edit([{ match: { dependency: "model" }, park_spread_ratio: 0 }]);
    await vi.waitUntil(async () => (await policy()).state === "in_force", patience);
    asked.length = 0;
    let reset = 0;
    answer = () => {
      reset ||= Date.now() + 15_000;
      return { status: 402, headers: { "x-ratelimit-reset": new Date(reset).toISOString() }, body: "" };
    };
    const { task_id } = await api.submit(change());
    await vi.waitUntil(async () => (await codegen(task_id))?.status === "parked", patience);
    expect(await codegen(task_id)).toMatchObject({ code: "MODEL_QUOTA_SPENT", attempts: 0 });
    expect(Date.parse((await codegen(task_id))!.retry_at!)).toBeGreaterThanOrEqual(reset);
    expect(asked.length).toBe(1);
    answer = () => ({ status: 200, body: COMPLETION });
    const view = await api.ended(task_id);
    expect(view, JSON.stringify(view.error)).toMatchObject({ status: "succeeded" });
    expect(view.steps.find(({ step }) => step === "codegen")?.attempts).toBe(1);
    expect(asked[1]).toBeGreaterThanOrEqual(reset);
  });

  it("ends the task at once, with the reason, when T comes after its deadline", async () => {
    answer = () => ({ status: 402, headers: { "retry-after": "86000" }, body: "" });
    const { task_id } = await api.submit(change({ deadline_seconds: 600 }));
    const view = await api.ended(task_id);
    expect(view).toMatchObject({
      verdict: "error",
      error: { code: "WAIT_EXCEEDS_DEADLINE", step: "codegen" },
    });
    expect(view.error?.message).toContain("MODEL_QUOTA_SPENT");
  });
});
