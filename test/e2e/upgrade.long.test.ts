import { createHash } from "node:crypto";
import { SendMessageCommand } from "@aws-sdk/client-sqs";
import { UpdateCommand } from "@aws-sdk/lib-dynamodb";
import { beforeAll, describe, expect, it } from "vitest";
import type { FailureList } from "#schemas/http/dead-letters.ts";
import type { ReplayPreview } from "#schemas/http/replays.ts";
import type { Problem, TaskView } from "#schemas/http/task-view.ts";
import { restore } from "../../scripts/backup/restore.ts";
import { stageCopyPorts } from "../../scripts/backup/stage-ports.ts";
import { enterEnvironment } from "../enter-environment.ts";
import { previousMessages, previousTasks } from "../upgrade/previous.ts";
import { recentPrevious } from "../upgrade/restore-previous.ts";
import { environmentOf, queues, table } from "./client.ts";
import { tinySource } from "./example.ts";
import { testStack } from "./test-stack.ts";

/*
 * The version that was landed before was killed in the middle of its work. This one starts from what it left: records,
 * objects, and messages in the queues.
 */
const { stack, api } = testStack();
const { ended, open } = previousTasks();
/** One of the open tasks gets a field of a version that comes after this one. */
const OF_LATER = "of_a_later_version";
const later = open.at(-1) ?? "";
const key = { pk: `TASK#local#${later}`, sk: "TASK" };

beforeAll(async () => {
  enterEnvironment(stack.data_dir);
  const { directory, recent } = await recentPrevious((item) => {
    if (item.pk === key.pk && item.sk === key.sk) item[OF_LATER] = "x";
  });
  const ports = stageCopyPorts(() => undefined);
  const restored = await restore(directory, ports);
  expect(restored.items).toBeGreaterThan(ended.length);
  // As one that was stopped and is run again.
  expect(await restore(directory, ports)).toMatchObject({ items: 0, objects: restored.objects });
  const { sqs } = queues(stack.data_dir);
  const facts = environmentOf(stack.data_dir);
  for (const { variable, body, attributes } of previousMessages()) {
    const MessageAttributes = JSON.parse(recent(JSON.stringify(attributes)));
    await sqs.send(
      new SendMessageCommand({ QueueUrl: facts[variable], MessageBody: recent(body), MessageAttributes }),
    );
  }
});

/** Artifacts that are told from the ledger, whose times are later here than they were. */
const OF_THE_LEDGER = /\.meta\.json$|^task\.json$|^events\.jsonl$|^codegen\/.*summary\.md$/;
const digest = (bytes: Buffer) => createHash("sha256").update(bytes).digest("hex");

describe("what the version before left", () => {
  it.each(ended)("task $task_id, $status, is told as it was, with all its artifacts", async (task) => {
    const { body } = await api.request<TaskView>("GET", `/api/tasks/${task.task_id}`);
    expect(body).toMatchObject({ status: task.status, verdict: task.verdict });
    expect(body.artifacts.map(({ path }) => path)).toEqual(task.artifacts.map(({ path }) => path));
    for (const { path, sha256 } of task.artifacts) {
      if (OF_THE_LEDGER.test(path)) continue;
      expect(digest(await api.artifact(task.task_id, path)), path).toBe(sha256);
    }
    const trace = await api.request("GET", `/api/tasks/${task.task_id}/trace`);
    expect(trace.status).toBe(200);
  });

  it.each(open.slice(0, -1))("task %s, which was under way, passes", async (task_id) => {
    const view = await api.ended(task_id);
    expect(view, JSON.stringify(view.error)).toMatchObject({ status: "succeeded", verdict: "passed" });
  });

  it("a dead letter is listed, and can be replayed", async () => {
    const failed = ended.find(({ verdict }) => verdict === "error");
    const list = () => api.request<FailureList>("GET", `/api/dlq/failures?task=${failed?.task_id}`);
    // A record that the version before did not list is listed by the sweep of dead letters.
    await expect
      .poll(async () => (await list()).body.failures.length, { timeout: 150_000, interval: 500 })
      .toBe(1);
    const request = { selection: { filter: { task: failed?.task_id } }, dry_run: true };
    const preview = await api.request<ReplayPreview>("POST", "/api/dlq/replays", request);
    expect(preview, JSON.stringify(preview.body)).toMatchObject({ status: 200, body: { matched: 1 } });
  });

  it.each(["keys", "circuits", "metrics/summary", "audit", "artifacts/index"])(
    "GET /api/%s reads it",
    async (path) => {
      expect((await api.request("GET", `/api/${path}`)).status).toBe(200);
    },
  );

  it("its index answers a query", async () => {
    const { status, body } = await api.request<{ results: unknown[] }>("POST", "/api/query", {
      query: "add",
    });
    expect([status, body.results.length > 0]).toEqual([200, true]);
  });
});

/*
 * The version before stands in the same relation to this one as this one to the next: it meets records with fields that
 * it does not know. Here a field of a later version was written into the task that was accepted last.
 */
describe("a record of a later version", () => {
  const from_later = { TableName: "", Key: key, ExpressionAttributeNames: { "#of": OF_LATER } };

  it("is not guessed at: nothing of its task is done, lost or dead-lettered, and no other task waits for it", async () => {
    const answer = await api.request<Problem>("GET", `/api/tasks/${later}`);
    expect([answer.status, answer.body.code]).toEqual([503, "RECORD_NEWER"]);
    expect(answer.headers.get("retry-after")).toMatch(/^\d+$/);
    const other = await api.submit({ workflow: "run", source: tinySource(true), command: "true" });
    expect(await api.ended(other.task_id)).toMatchObject({ verdict: "passed" });
    const list = await api.request<FailureList>("GET", `/api/dlq/failures?task=${later}`);
    expect(list.body.failures).toEqual([]);
  });

  it("is taken up by a version that knows it", async () => {
    const { table: client, table_name } = table(stack.data_dir);
    await client.send(
      new UpdateCommand({ ...from_later, TableName: table_name, UpdateExpression: "REMOVE #of" }),
    );
    const view = await api.ended(later);
    expect(view, JSON.stringify(view.error)).toMatchObject({ status: "succeeded", verdict: "passed" });
  });
});
