import { cpSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { TaskView } from "#schemas/http/task-view.ts";
import { temporaryDirectory } from "#test/temporary.ts";
import { type Stack, startStack } from "../../local/stack.ts";
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
