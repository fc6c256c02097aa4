import { cpSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import type { TaskView } from "#schemas/http/task-view.ts";
import { temporaryDirectory } from "#test/temporary.ts";
import { type Stack, startStack } from "../../local/stack.ts";
import { modelServer } from "../fakes/model-server.ts";
import { type ApiClient, developmentClient } from "./client.ts";
import { tinySource } from "./example.ts";

/** The operator's files, with less patience, so that the test needs less too. */
const configs = temporaryDirectory("configs");
cpSync("configs", configs, { recursive: true });
const policy_file = join(configs, "retry_policy.json");
const policy = { ...JSON.parse(readFileSync(policy_file, "utf8")), redispatch_seconds: 2 };
writeFileSync(policy_file, JSON.stringify(policy));
const env = { CONFIG_DIRECTORY: configs, LEASE_SECONDS: "5" };

let stack: Stack;
beforeAll(async () => {
  stack = await startStack({ env });
});
afterAll(async () => {
  await stack.stop();
  rmSync(stack.data_dir, { recursive: true, force: true });
});

const DIFF = `--- a/add.js
+++ b/add.js
@@ -1 +1 @@
-export const add = (a, b) => a - b;
+export const add = (a, b) => a + b;
`;

/** Its build takes long enough to be killed in. */
const submissionFor = (moment: string) => ({
  workflow: "change",
  source: tinySource(false),
  change: { kind: "patch", diff: DIFF },
  build: moment === "buildtest" ? "sleep 3" : "true",
  test: "node --test --test-reporter=tap",
});

async function reaches(api: ApiClient, task_id: string, moment: string): Promise<void> {
  for (;;) {
    const { body } = await api.request<TaskView>("GET", `/api/tasks/${task_id}`);
    const step = body.steps.find((candidate) => candidate.step === moment);
    if (step || moment === "accepted") return;
    if (body.ended_at) throw new Error(`the task ended before ${moment}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

describe("kill -9 of the whole stack", () => {
  it.each(["accepted", "index", "codegen", "buildtest", "index_result"])(
    "in the middle of %s, then a restart, finishes the task with one set of artifacts",
    async (moment) => {
      const before = developmentClient(stack.url, stack.data_dir);
      const { task_id } = await before.submit(submissionFor(moment));
      await reaches(before, task_id, moment);
      stack.kill();

      stack = await startStack({ data_dir: stack.data_dir, env });
      const api = developmentClient(stack.url, stack.data_dir);
      const view = await api.ended(task_id);
      expect(view, JSON.stringify(view.error)).toMatchObject({ status: "succeeded", verdict: "passed" });
      expect(view.steps.map(({ step, status }) => [step, status])).toEqual([
        ["index", "completed"],
        ["codegen", "completed"],
        ["buildtest", "completed"],
        ["index_result", "completed"],
      ]);
      const reports = view.artifacts.filter(({ path }) => path.endsWith("report.json"));
      expect(reports.map(({ path }) => path).sort()).toEqual([
        "build-test/report.json",
        "index/earlier/index-0/report.json",
        "index/report.json",
      ]);
    },
  );
});

describe("kill -9 between the answer of a model and the end of its step", () => {
  it("asks no question again that was answered", async () => {
    const block = (search: string, replace: string) =>
      `add.js\n<<<<<<< SEARCH\n${search}\n=======\n${replace}\n>>>>>>> REPLACE\n`;
    const refused = block("not there", "x");
    const right = block("export const add = (a, b) => a - b;", "export const add = (a, b) => a + b;");
    // The first answer is stored and used, for the second question follows from it. That one stays without an answer.
    const model = await modelServer([{ text: refused }, { text: right, middle: "stall" }]);
    const with_model = { ...env, MODEL_URL: model.completions_url, MODEL_NAME: "scripted" };
    stack.kill();
    stack = await startStack({ data_dir: stack.data_dir, env: with_model });
    const before = developmentClient(stack.url, stack.data_dir);
    const change = { kind: "prompt", text: "make it add" };
    const { task_id } = await before.submit({ ...submissionFor("codegen"), change });
    await vi.waitUntil(() => model.asked.length === 2, { timeout: 60_000, interval: 5 });
    stack.kill();

    model.answer({ text: right });
    stack = await startStack({ data_dir: stack.data_dir, env: with_model });
    const view = await developmentClient(stack.url, stack.data_dir).ended(task_id);
    expect(view, JSON.stringify(view.error)).toMatchObject({ status: "succeeded", verdict: "passed" });
    const turns = model.asked.map(({ body }) => body.messages.length);
    const [first = 0, second = 0] = turns;
    expect(second).toBeGreaterThan(first);
    expect(turns).toEqual([first, second, second]); // the answered one once
    await model.close();
  });
});
