import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import type { TaskView } from "#schemas/http/task-view.ts";
import { temporaryDirectory } from "#test/temporary.ts";
import { localstack } from "../../local/host/localstack.ts";
import { anyFreePort } from "../../local/ports.ts";
import type { ApiClient } from "../e2e/client.ts";
import { tinySource } from "../e2e/example.ts";
import { part, startStage } from "./stage.ts";

const TASKS = 6;
const LOOKS_MAX = 600;

function submitMany(api: ApiClient): Promise<TaskView[]> {
  const submission = (index: number) => ({
    workflow: "buildtest",
    source: tinySource(true),
    test: "node --test",
    repository: `outage-${index}`,
  });
  return Promise.all(Array.from({ length: TASKS }, (_, index) => api.submit(submission(index))));
}

/** Until some are done and others are not: the middle of the run. */
async function untilMidway(api: ApiClient, tasks: TaskView[]): Promise<void> {
  for (let looks = 0; looks < LOOKS_MAX; looks += 1) {
    const views = await Promise.all(
      tasks.map(({ task_id }) => api.request<TaskView>("GET", `/api/tasks/${task_id}`)),
    );
    const ended = views.filter(({ body }) => body.ended_at).length;
    if (ended === TASKS) throw new Error("all ended before the outage");
    if (ended > 0) return;
    await delay(200);
  }
  throw new Error("no task ended before the outage");
}

async function expectAllDoneOnce(api: ApiClient, tasks: TaskView[]): Promise<void> {
  for (const { task_id } of tasks) {
    const view = await api.ended(task_id);
    expect(view, JSON.stringify(view.error)).toMatchObject({ verdict: "passed" });
    expect(view.steps.map(({ step, status }) => [step, status])).toEqual([["buildtest", "completed"]]);
    const events = (await api.artifact(task_id, "events.jsonl")).toString("utf8").trim().split("\n");
    const kinds = events.map((line) => JSON.parse(line).event ?? JSON.parse(line).kind);
    expect(new Set(events).size).toBe(kinds.length);
  }
}

describe("LocalStack in mid-run", () => {
  it("hangs and comes back: nothing is lost", async () => {
    const stage = await startStage();
    const group = -part("localstack").pid;
    try {
      const tasks = await submitMany(stage.api);
      await untilMidway(stage.api, tasks);
      process.kill(group, "SIGSTOP");
      // The outage lasts until the stack has felt it: a submission that cannot be stored is not accepted.
      const refused = await fetch(new URL("/api/tasks", stage.stack.url), {
        method: "POST",
        headers: { authorization: `Bearer ${stage.api.key}`, "content-type": "application/json" },
        body: JSON.stringify({ workflow: "buildtest", source: tinySource(false), test: "node --test" }),
      });
      expect(refused.status).toBeGreaterThanOrEqual(500);
      process.kill(group, "SIGCONT");
      await expectAllDoneOnce(stage.api, tasks);
    } finally {
      process.kill(group, "SIGCONT");
      await stage.end();
    }
  });

  it("is killed with all its queues and messages, and started again: every task finishes", async () => {
    const data_directory = temporaryDirectory("queues");
    const place = { port: await anyFreePort(), data_directory, log_file: join(data_directory, "log") };
    let queues = await localstack.start(place);
    const stage = await startStage({
      AWS_ENDPOINT_URL: queues.endpoint,
      AWS_ENDPOINT_URL_S3: part("localstack").endpoint,
    });
    try {
      const tasks = await submitMany(stage.api);
      await untilMidway(stage.api, tasks);
      process.kill(-queues.pid, "SIGKILL");
      await queues.ended;
      queues = await localstack.start(place);
      await expectAllDoneOnce(stage.api, tasks);
      const another = await stage.api.submit({
        ...{ workflow: "buildtest", source: tinySource(true), test: "node --test" },
      });
      expect((await stage.api.ended(another.task_id)).verdict).toBe("passed");
    } finally {
      await stage.end();
      await queues.stop();
    }
  });
});
