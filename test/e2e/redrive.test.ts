import { rmSync } from "node:fs";
import { SendMessageCommand } from "@aws-sdk/client-sqs";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type AgentPlatform, awsAgentPlatform } from "#lib/agents/agent/platform.ts";
import { readLedger } from "#lib/work/tasks/task-store.ts";
import type {
  DeadLetterQueues,
  FailureDetail,
  FailureEdited,
  FailureGroups,
  FailureList,
  FailuresImported,
} from "#schemas/http/dead-letters.ts";
import type { ReplayPreview, ReplayResultList, ReplayView } from "#schemas/http/replays.ts";
import type { Problem, TaskView } from "#schemas/http/task-view.ts";
import type { TaskRecord } from "#schemas/records/task.ts";
import { type Stack, startStack } from "../../local/stack.ts";
import { enterEnvironment } from "../enter-environment.ts";
import { type Broken, brokenTasks, misspeltTask, payloadOf } from "./broken-tasks.ts";
import { type ApiClient, developmentClient, tenantClient } from "./client.ts";

const patience = { timeout: 180_000, interval: 500 };
const SHARED = 6;
let stack: Stack;
let operator: ApiClient;
let acme: ApiClient;
let reader: ApiClient;
let other_operator: ApiClient;
let platform: AgentPlatform;
const ports = () => ({ ...platform, table_name: platform.settings.table_name });

beforeAll(async () => {
  stack = await startStack();
  operator = developmentClient(stack.url, stack.data_dir);
  acme = await tenantClient(stack.url, stack.data_dir, "acme");
  reader = await tenantClient(stack.url, stack.data_dir, "acme", { scopes: ["read"] });
  other_operator = await tenantClient(stack.url, stack.data_dir, "local");
  enterEnvironment(stack.data_dir);
  platform = awsAgentPlatform();
}, 180_000);
afterAll(async () => {
  await stack?.stop();
  if (stack) rmSync(stack.data_dir, { recursive: true, force: true });
});

async function got<Body>(api: ApiClient, path: string): Promise<Body> {
  const { status, body } = await api.request<Body>("GET", path);
  expect(status, JSON.stringify(body)).toBe(200);
  return body;
}
const groupsOf = async (api: ApiClient, query = "") =>
  (await got<FailureGroups>(api, `/api/dlq/groups${query}`)).groups;
const failuresOf = async (api: ApiClient, query = "") =>
  (await got<FailureList>(api, `/api/dlq/failures${query}`)).failures;
const jobOf = (api: ApiClient, { replay_id }: ReplayView) =>
  got<ReplayView>(api, `/api/dlq/replays/${replay_id}`);

async function order(api: ApiClient, body: object): Promise<ReplayView> {
  const answer = await api.request<ReplayView>("POST", "/api/dlq/replays", body);
  expect(answer.status, JSON.stringify(answer.body)).toBe(202);
  return answer.body;
}
async function completed(api: ApiClient, job: ReplayView): Promise<ReplayView> {
  await expect.poll(async () => (await jobOf(api, job)).state, patience).toBe("completed");
  return jobOf(api, job);
}
/** Records and queue agree: as many open failures as SQS counts messages. */
async function countsAgree(queue: string, depth: number): Promise<void> {
  const counts = async () => {
    const { queues } = await got<DeadLetterQueues>(operator, "/api/dlq/queues");
    const found = queues.find((one) => one.queue === queue)!;
    return [found.depth, found.messages];
  };
  await expect.poll(counts, patience).toEqual([depth, depth]);
}

describe("what failed, of two tenants and three kinds", () => {
  let theirs: Broken;
  let payload: Record<string, unknown>;
  let edited_task: TaskRecord;

  beforeAll(async () => {
    await brokenTasks(operator, "local", 2, platform);
    theirs = await brokenTasks(acme, "acme", SHARED, platform);
    const QueueUrl = platform.queueUrl("buildtest");
    await platform.sqs.send(new SendMessageCommand({ QueueUrl, MessageBody: "<script>alert(1)</script>" }));
    edited_task = await misspeltTask(theirs.tasks[0]!, platform);
    payload = payloadOf(edited_task);
  }, 300_000);

  it("comes with as many messages in its queue as there are records", async () => {
    await expect.poll(async () => (await groupsOf(operator)).length, patience).toBe(3);
    await countsAgree("buildtest", 2 + SHARED + 2);
  });

  it("is counted by kind, for an operator of all tenants and for a tenant's own", async () => {
    const all = (await groupsOf(operator)).map(({ code, count, tenants }) => [code, count, tenants]);
    expect(all).toEqual([
      ["BLOB_MISSING", 2 + SHARED, 2],
      ...["ENVELOPE_INVALID", "PAYLOAD_INVALID"]
        .map((code) => [code, 1, 1])
        .sort((a, b) => index(all, a) - index(all, b)),
    ]);
    const own = (await groupsOf(acme)).map(({ code, count }) => [code, count]);
    expect(own).toEqual([
      ["BLOB_MISSING", SHARED],
      ["PAYLOAD_INVALID", 1],
    ]);
    const { queues } = await got<DeadLetterQueues>(acme, "/api/dlq/queues");
    expect(queues.find(({ queue }) => queue === "buildtest")).toMatchObject({
      depth: SHARED + 1,
      messages: null,
    });
  });

  it("is listed by every filter, page by page", async () => {
    const first = await got<FailureList>(operator, "/api/dlq/failures?limit=3");
    const seen = first.failures.map(({ failure }) => failure);
    for (let cursor = first.next_cursor; cursor !== null; ) {
      const page: FailureList = await got(operator, `/api/dlq/failures?limit=3&cursor=${cursor}`);
      seen.push(...page.failures.map(({ failure }) => failure));
      cursor = page.next_cursor;
    }
    expect(new Set(seen).size).toBe(2 + SHARED + 2);
    const [task] = theirs.tasks;
    const [{ fingerprint } = { fingerprint: "" }] = await groupsOf(operator, "?code=BLOB_MISSING");
    const counts = {
      [`task=${task!.task_id}`]: 1,
      [`trace=${task!.trace_id}`]: 1,
      "tenant=acme": SHARED + 1,
      "code=ENVELOPE_INVALID": 1,
      [`fingerprint=${fingerprint.slice(0, 12)}`]: 2 + SHARED,
      "queue=codegen": 0,
      "agent=buildtest": 2 + SHARED + 2,
      "text=SCRIPT": 1,
      "since=2100-01-01T00:00:00Z": 0,
      "until=2000-01-01T00:00:00Z": 0,
      "state=discarded": 0,
    };
    for (const [query, count] of Object.entries(counts)) {
      expect(await failuresOf(operator, `?${query}&limit=100`), query).toHaveLength(count);
    }
    const { body } = await operator.request<Problem>("GET", "/api/dlq/failures?cursor=bm9uZQ");
    expect(body.code).toBe("CURSOR_INVALID");
  });

  it("shows everything of one, without its secrets, and to its own tenant only", async () => {
    const [failure] = await failuresOf(acme, "?code=PAYLOAD_INVALID");
    const path = `/api/dlq/failures/${failure!.failure}`;
    const detail = await got<FailureDetail>(reader, path);
    expect(detail).toMatchObject({
      task_id: edited_task.task_id,
      task_status: "failed",
      envelope: { payload: { tests: 1, api_token: "[redacted]" } },
      replay: { expectation: "run" },
      policy: { changed: false },
      trace_href: `/api/tasks/${edited_task.task_id}/trace`,
    });
    expect(detail.attempts_timeline.map(({ kind }) => kind)).toEqual(
      expect.arrayContaining(["attempt", "failed"]),
    );
    const [foreign] = await failuresOf(operator, "?tenant=local");
    const refused = await acme.request<Problem>("GET", `/api/dlq/failures/${foreign!.failure}`);
    expect([refused.status, refused.body.code]).toEqual([404, "FAILURE_NOT_FOUND"]);
  });

  it("is left alone by a key that may only read", async () => {
    for (const [path, body] of [
      ["/api/dlq/replays", { selection: { all: true } }],
      ["/api/dlq/import", { failures: [], why: "x" }],
    ] as const) {
      expect((await reader.request("POST", path, body)).status).toBe(403);
    }
    expect(await groupsOf(acme)).toHaveLength(2);
  });

  it("says before a replay what it would do with each", async () => {
    const body = { selection: { all: true }, dry_run: true };
    const { body: preview } = await operator.request<ReplayPreview>("POST", "/api/dlq/replays", body);
    expect(preview).toMatchObject({
      matched: 2 + SHARED + 2,
      by_expectation: { run: 2 + SHARED + 1, not_possible: 1 },
      needs_approval: false,
    });
  });

  it("is edited and replayed, its original kept", async () => {
    await theirs.mend();
    const [failure] = await failuresOf(acme, "?code=PAYLOAD_INVALID");
    const path = `/api/dlq/failures/${failure!.failure}/edit`;
    const wrong = { payload: { ...payload, tests: 2 }, why: "a test" };
    expect((await acme.request("POST", path, wrong)).status).toBe(422);
    const good = { payload, why: "the field was misspelt" };
    const dry = await acme.request<FailureEdited>("POST", path, { ...good, dry_run: true });
    expect([dry.status, dry.body.sent]).toEqual([200, false]);
    expect(dry.body.diff).toContain('-  "tests": 1');
    expect(dry.body.diff).not.toContain("hunter2");
    const done = await acme.request<FailureEdited>("POST", path, good);
    expect([done.status, done.body.sent], JSON.stringify(done.body)).toEqual([202, true]);
    expect(await acme.ended(edited_task.task_id)).toMatchObject({ verdict: "passed" });
    const detail = await got<FailureDetail>(acme, `/api/dlq/failures/${failure!.failure}`);
    expect(detail).toMatchObject({
      state: "replayed",
      replayed_as: done.body.message_id,
      edited_from: null,
      edit: { failure: failure!.failure, why: "the field was misspelt", diff: dry.body.diff },
    });
    expect(detail.envelope).toMatchObject({ payload: { tests: 1 } });
    expect((await acme.request("POST", path, good)).status).toBe(409);
  });

  it("is replayed by a job that a kill in the middle does not stop, each once", async () => {
    const selection = { filter: { code: "BLOB_MISSING" } };
    const job = await order(acme, { selection, rate_per_second: 1, concurrency: 1 });
    await expect.poll(async () => (await jobOf(acme, job)).counts.pending, patience).toBeLessThan(SHARED - 1);
    stack.kill();
    stack = await startStack({ data_dir: stack.data_dir, port: Number(new URL(stack.url).port) });
    const ended = await completed(acme, job);
    expect(ended.counts).toMatchObject({ total: SHARED, pending: 0, failed_again: 0, kept: 0 });
    for (const { task_id, tenant } of theirs.tasks) {
      expect(await acme.ended(task_id)).toMatchObject({ verdict: "passed" });
      const { steps } = (await readLedger(tenant, task_id, ports()))!;
      expect(steps[0]).toMatchObject({ replays: [{ code: "BLOB_MISSING" }] });
    }
    const { results } = await got<ReplayResultList>(
      acme,
      `/api/dlq/replays/${job.replay_id}/results?limit=100`,
    );
    expect(new Set(results.map(({ failure }) => failure)).size).toBe(SHARED);
    expect((await operator.request("GET", `/api/dlq/replays/${job.replay_id}`)).status).toBe(404);
    await countsAgree("buildtest", 2 + 1);
  }, 600_000);

  it("is left as it is by replaying everything a second time", async () => {
    const views = () =>
      Promise.all(theirs.tasks.map(({ task_id }) => got<TaskView>(acme, `/api/tasks/${task_id}`)));
    const before = (await views()).map(({ revision }) => revision);
    const job = await completed(acme, await order(acme, { selection: { all: true } }));
    expect(job.counts.total).toBe(0);
    expect((await views()).map(({ revision }) => revision)).toEqual(before);
  });

  it("is paused, resumed and aborted as ordered", async () => {
    const body = { selection: { filter: { tenant: "local" } }, rate_per_second: 0.1, concurrency: 1 };
    const job = await order(operator, body);
    const command = async (name: string) => {
      const { status, body: answer } = await operator.request<ReplayView>(
        "POST",
        `/api/dlq/replays/${job.replay_id}/${name}`,
      );
      return [status, status === 200 ? answer.state : (answer as unknown as Problem).code];
    };
    expect(await command("pause")).toEqual([200, "paused"]);
    expect(await command("pause")).toEqual([409, "REPLAY_STATE_CONFLICT"]);
    expect(await command("resume")).toEqual([200, "running"]);
    expect(await command("abort")).toEqual([200, "aborted"]);
    expect(await command("resume")).toEqual([409, "REPLAY_STATE_CONFLICT"]);
  });

  it("is exported, discarded and imported again", async () => {
    const [failure] = await failuresOf(operator, "?code=ENVELOPE_INVALID");
    const exported = await fetch(`${stack.url}/api/dlq/export?code=ENVELOPE_INVALID`, {
      headers: { authorization: `Bearer ${operator.key}` },
    });
    const lines = (await exported.text()).trim().split("\n");
    expect(lines).toHaveLength(1);
    const line = JSON.parse(lines[0]!);
    expect(line).toMatchObject({ failure: failure!.failure, body: "<script>alert(1)</script>" });
    const request = { failures: [line], why: "a test" };
    const import_ = async (api: ApiClient) =>
      (await api.request<FailuresImported>("POST", "/api/dlq/import", request)).body.results.map(
        ({ did }) => did,
      );
    expect(await import_(operator)).toEqual(["exists"]);
    expect(await import_(acme)).toEqual(["refused"]);
    const selection = { failures: [failure!.failure] };
    const unsaid = await operator.request<Problem>("POST", "/api/dlq/replays", {
      action: "discard",
      selection,
    });
    expect([unsaid.status, unsaid.body.code]).toEqual([422, "WHY_REQUIRED"]);
    await completed(
      operator,
      await order(operator, { action: "discard", selection, why: "it is no message" }),
    );
    expect(await failuresOf(operator, "?code=ENVELOPE_INVALID")).toEqual([]);
    const renamed = { ...line, failure: `${line.failure}-again` };
    const again = await operator.request<FailuresImported>("POST", "/api/dlq/import", {
      failures: [renamed],
      why: "a test",
    });
    expect(again.body.results).toMatchObject([{ did: "imported" }]);
    expect(await failuresOf(operator, "?code=ENVELOPE_INVALID")).toHaveLength(1);
  });

  it("tells the audit trail who ordered what", async () => {
    const { entries } = await got<{ entries: { action: string }[] }>(
      operator,
      "/api/audit?action=dlq&limit=100",
    );
    const actions = new Set(entries.map(({ action }) => action));
    for (const action of [
      "dlq.replay",
      "dlq.discard",
      "dlq.pause",
      "dlq.abort",
      "dlq.import",
      "dlq.export",
    ]) {
      expect(actions).toContain(action);
    }
    expect(other_operator.key).not.toBe(operator.key);
  });
});

/** Kinds with as many members come in the order of their fingerprints. */
function index(all: unknown[], one: unknown[]): number {
  return all.findIndex((other) => JSON.stringify(other) === JSON.stringify(one));
}
