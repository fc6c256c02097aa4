import { cpSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, it, vi } from "vitest";
import { type AgentPlatform, awsAgentPlatform } from "#lib/agents/agent/platform.ts";
import type {
  DeadLetterQueues,
  FailureDetail,
  FailureEdited,
  FailureGroups,
  FailureList,
} from "#schemas/http/dead-letters.ts";
import type { ReplayPreview, ReplayResultList, ReplayView } from "#schemas/http/replays.ts";
import type { Problem } from "#schemas/http/task-view.ts";
import type { TaskRecord } from "#schemas/records/task.ts";
import { runCli } from "#test/fakes/run-cli.ts";
import { temporaryDirectory } from "#test/temporary.ts";
import { enterEnvironment } from "../enter-environment.ts";
import { type Broken, brokenTasks, misspeltTask, payloadOf } from "./broken-tasks.ts";
import { type ApiClient, tenantClient } from "./client.ts";
import { testStack } from "./test-stack.ts";

const patience = { timeout: 180_000, interval: 500 };
const APPROVED_MAX = 2;
const REPLAYS_MAX = 2;
const configs = temporaryDirectory("configs");
cpSync("configs", configs, { recursive: true });
const configure = (changes: object) => {
  const shipped = JSON.parse(readFileSync("configs/replays.json", "utf8"));
  const limits = { approval_messages_max: APPROVED_MAX, replays_per_message_max: REPLAYS_MAX };
  writeFileSync(join(configs, "replays.json"), JSON.stringify({ ...shipped, ...limits, ...changes }));
};
configure({});
const { stack } = testStack(() => ({ env: { CONFIG_DIRECTORY: configs } }));

let platform: AgentPlatform;
let orders: ApiClient;
let approves: ApiClient;
let operates: ApiClient;
let broken: Broken;

beforeAll(async () => {
  enterEnvironment(stack.data_dir);
  platform = awsAgentPlatform();
  orders = await tenantClient(stack.url, stack.data_dir, "acme");
  approves = await tenantClient(stack.url, stack.data_dir, "acme");
  operates = await tenantClient(stack.url, stack.data_dir, "acme", { scopes: ["read", "operate"] });
  broken = await brokenTasks(orders, "acme", 1, platform);
}, 180_000);

async function got<Body>(path: string): Promise<Body> {
  const { status, body } = await orders.request<Body>("GET", path);
  expect(status, JSON.stringify(body)).toBe(200);
  return body;
}
const failuresOf = async (query: string) =>
  (await got<FailureList>(`/api/dlq/failures?limit=100&${query}`)).failures;
const failureOf = async ({ task_id }: TaskRecord, query = "") =>
  (await failuresOf(`task=${task_id}&${query}`))[0]!.failure;
const detailOf = (failure: string) => got<FailureDetail>(`/api/dlq/failures/${failure}`);
const jobOf = ({ replay_id }: ReplayView) => got<ReplayView>(`/api/dlq/replays/${replay_id}`);

async function order(body: object): Promise<ReplayView> {
  const answer = await orders.request<ReplayView>("POST", "/api/dlq/replays", body);
  expect(answer.status, JSON.stringify(answer.body)).toBe(202);
  return answer.body;
}
/** What an operator's command on a job answers: its status, and the job's state or the problem's code. */
async function command(api: ApiClient, name: string, { replay_id }: ReplayView): Promise<[number, string]> {
  const { status, body } = await api.request<ReplayView & Problem>(
    "POST",
    `/api/dlq/replays/${replay_id}/${name}`,
  );
  return [status, status === 200 ? body.state : body.code];
}
async function completed(job: ReplayView): Promise<ReplayView> {
  await expect.poll(async () => (await jobOf(job)).state, patience).toBe("completed");
  return jobOf(job);
}
/** As many tasks whose message has misspelt fields, each with its failure recorded. */
async function misspelt(count: number): Promise<TaskRecord[]> {
  const tasks: TaskRecord[] = [];
  for (let made = 0; made < count; made += 1) tasks.push(await misspeltTask(broken.tasks[0]!, platform));
  for (const { task_id } of tasks)
    await vi.waitUntil(async () => (await failuresOf(`task=${task_id}`)).length === 1, patience);
  for (const { task_id } of tasks) await orders.ended(task_id);
  return tasks;
}
/** The command line, with the words it prints on a terminal without colours. */
async function agents(...words: string[]): Promise<string> {
  const { stdout, stderr } = await runCli(words, { url: stack.url, key: orders.key });
  expect(stdout, stderr).not.toBe("");
  return stdout;
}
const unspell = { tests: null, api_token: null };
const MISSPELT = { filter: { code: "PAYLOAD_INVALID" } };

describe("an edited message that fails again", () => {
  let first: FailureDetail;
  let again: FailureDetail;

  beforeAll(async () => {
    const [task] = await misspelt(1);
    first = await detailOf(await failureOf(task!));
    const body = { payload: payloadOf(task!), why: "two fields were misspelt" };
    const edited = await orders.request<FailureEdited>(
      "POST",
      `/api/dlq/failures/${first.failure}/edit`,
      body,
    );
    expect([edited.status, edited.body.sent], JSON.stringify(edited.body)).toEqual([202, true]);
    const failed = () => failuresOf(`task=${task!.task_id}&code=BLOB_MISSING`);
    await vi.waitUntil(async () => (await failed()).length === 1, patience);
    again = await detailOf(await failureOf(task!, "code=BLOB_MISSING"));
  }, 300_000);

  it("names the failure that was edited, the message it replays, and shows what was changed", async () => {
    expect(again).toMatchObject({
      edited_from: first.failure,
      replay_of: first.message_id,
      replays: 1,
      edit: { failure: first.failure, why: "two fields were misspelt" },
    });
    expect(again.edit!.by).toMatch(/^key:/);
    expect(again.edit!.diff).toContain('-  "tests": 1');
    expect(again.edit!.diff).not.toContain("hunter2");
  });

  it("leaves the original as it was, with the edit beside it", async () => {
    const original = await detailOf(first.failure);
    expect(original).toMatchObject({ state: "replayed", edited_from: null, edit: again.edit });
    expect(original.envelope).toEqual(first.envelope);
  });

  it("is shown with its difference on the command line", async () => {
    const text = await agents("dlq", "show", again.failure);
    for (const part of [`edited from ${first.failure}`, "two fields were misspelt", '-  "tests": 1']) {
      expect(text).toContain(part);
    }
  });

  it("is not replayed without limit by an edit that changes nothing", async () => {
    const { payload } = again.envelope as { payload: object };
    const body = { payload, why: "nothing", dry_run: true };
    const { status, body: problem } = await orders.request<Problem>(
      "POST",
      `/api/dlq/failures/${again.failure}/edit`,
      body,
    );
    expect([status, problem.code]).toEqual([409, "EDIT_NOT_POSSIBLE"]);
  });
});

describe("a failure that was replayed as often as is allowed", () => {
  it("is permanently failed: in lists, groups, queues, dry runs, jobs and on the command line", async () => {
    const [task] = broken.tasks;
    for (let replays = 0; replays < REPLAYS_MAX; replays += 1) {
      const selection = { filter: { task: task!.task_id } };
      expect((await failuresOf(`task=${task!.task_id}`))[0]).toMatchObject({ state: "open", replays });
      const { counts } = await completed(await order({ selection }));
      expect(counts).toMatchObject({ total: 1, failed_again: 1 });
      await orders.ended(task!.task_id);
      await expect
        .poll(async () => (await failuresOf(`task=${task!.task_id}`))[0]?.replays, patience)
        .toBe(replays + 1);
    }
    const failure = await failureOf(task!);
    expect(await failuresOf("state=permanently_failed")).toMatchObject([{ failure, replays: REPLAYS_MAX }]);
    expect(await failuresOf(`task=${task!.task_id}&state=open`)).toEqual([]);
    const { groups } = await got<FailureGroups>("/api/dlq/groups?code=BLOB_MISSING");
    expect(groups).toMatchObject([{ permanently_failed: 1 }]);
    const { queues } = await got<DeadLetterQueues>("/api/dlq/queues");
    expect(queues.find(({ queue }) => queue === "buildtest")).toMatchObject({ permanently_failed: 1 });
    const selection = { failures: [failure] };
    const dry = await orders.request<ReplayPreview>("POST", "/api/dlq/replays", { selection, dry_run: true });
    expect(dry.body.by_expectation).toEqual({ permanently_failed: 1 });
    const job = await completed(await order({ selection }));
    expect(job.counts).toMatchObject({ total: 1, permanently_failed: 1 });
    expect(await agents("dlq", "show", failure)).toContain("is permanently_failed");
    expect(await agents("dlq", "list", "--state", "permanently_failed")).toContain(failure);
    expect(await agents("replays", "show", job.replay_id)).toContain("PERMANENTLY_FAILED");
  }, 300_000);
});

describe("an order for more failures than one operator may change", () => {
  let tasks: TaskRecord[];
  beforeAll(async () => {
    tasks = await misspelt(APPROVED_MAX + 1);
  }, 300_000);

  it("says so beforehand, with the difference of each", async () => {
    const body = { action: "edit", selection: MISSPELT, patch: unspell, dry_run: true };
    const { body: preview } = await orders.request<ReplayPreview>("POST", "/api/dlq/replays", body);
    expect(preview).toMatchObject({
      action: "edit",
      matched: 3,
      needs_approval: true,
      by_expectation: { run: 3 },
    });
    for (const { diff } of preview.messages) expect(diff).toContain('-  "tests": 1');
    const useless = { ...body, patch: { test: 1 } };
    const { body: refused } = await orders.request<ReplayPreview>("POST", "/api/dlq/replays", useless);
    expect(refused.by_expectation).toEqual({ not_possible: 3 });
    expect(refused.messages[0]).toMatchObject({ reason: "PAYLOAD_INVALID" });
  });

  it("is refused without a reason, and without a patch or with one too many", async () => {
    const bodies = [
      [{ action: "edit", selection: MISSPELT, patch: unspell }, "WHY_REQUIRED"],
      [{ action: "edit", selection: MISSPELT, why: "x" }, "BODY_INVALID"],
      [{ action: "edit", selection: MISSPELT, why: "x", patch: {} }, "BODY_INVALID"],
      [{ action: "discard", selection: MISSPELT, why: "x", patch: unspell }, "BODY_INVALID"],
      [{ selection: MISSPELT, patch: unspell }, "BODY_INVALID"],
    ] as const;
    for (const [body, code] of bodies) {
      const { status, body: problem } = await orders.request<Problem>("POST", "/api/dlq/replays", body);
      expect([status, problem.code]).toEqual([422, code]);
    }
  });

  it("waits for a second operator, and neither the first nor one without admin is that", async () => {
    const discard = { action: "discard", selection: MISSPELT, why: "a test" };
    const job = await order(discard);
    expect(job).toMatchObject({ state: "awaiting_approval", matched: 3, approve_before: expect.any(String) });
    expect(await command(orders, "approve", job)).toEqual([403, "APPROVAL_NOT_OWN"]);
    expect(await command(operates, "approve", job)).toEqual([403, "SCOPE_MISSING"]);
    expect(await command(orders, "resume", job)).toEqual([409, "REPLAY_STATE_CONFLICT"]);
    expect(await command(orders, "abort", job)).toEqual([200, "aborted"]);
    expect(await command(approves, "approve", job)).toEqual([409, "REPLAY_STATE_CONFLICT"]);
    expect(await failuresOf("code=PAYLOAD_INVALID")).toHaveLength(3);
  });

  it("cannot be approved when its time is over", async () => {
    const job = await order({ action: "discard", selection: MISSPELT, why: "a test" });
    configure({ approval_seconds_max: 1 });
    const ends = async () => Date.parse((await jobOf(job)).approve_before ?? "") - Date.parse(job.created_at);
    await expect.poll(ends, patience).toBe(1000);
    await expect.poll(() => Date.now() - Date.parse(job.created_at), patience).toBeGreaterThan(1000);
    expect(await command(approves, "approve", job)).toEqual([409, "APPROVAL_EXPIRED"]);
    expect(await jobOf(job)).toMatchObject({ state: "aborted", because: "APPROVAL_EXPIRED" });
    configure({});
    const renewed = async () =>
      await jobOf(await order({ action: "discard", selection: MISSPELT, why: "a test" }));
    await expect
      .poll(async () => Date.parse((await renewed()).approve_before ?? "") > Date.now() + 60_000, patience)
      .toBe(true);
    expect(await failuresOf("code=PAYLOAD_INVALID")).toHaveLength(3);
  }, 300_000);

  it("changes what was there when it was made, and nothing that came afterwards", async () => {
    await broken.mend();
    const job = await order({
      action: "edit",
      selection: MISSPELT,
      patch: unspell,
      why: "two fields were misspelt",
    });
    expect(job).toMatchObject({ state: "awaiting_approval", matched: 3, patch: unspell });
    const [late] = await misspelt(1);
    expect((await command(approves, "approve", job))[0]).toBe(200);
    const ended = await completed(job);
    expect(ended.counts).toMatchObject({ total: 3, succeeded: 3 });
    expect(ended.approved_by).not.toBe(ended.created_by);
    for (const { task_id } of tasks) expect(await orders.ended(task_id)).toMatchObject({ verdict: "passed" });
    expect(await failuresOf("code=PAYLOAD_INVALID")).toMatchObject([{ task_id: late!.task_id }]);
    const { results } = await got<ReplayResultList>(`/api/dlq/replays/${job.replay_id}/results`);
    for (const { failure } of results) {
      expect(await detailOf(failure)).toMatchObject({
        state: "replayed",
        settled_by: job.replay_id,
        edit: { failure, by: job.created_by, why: "two fields were misspelt" },
      });
    }
  }, 300_000);

  it("needs nobody else when it is no larger than the limit", async () => {
    const job = await order({
      action: "edit",
      selection: MISSPELT,
      patch: unspell,
      why: "two fields were misspelt",
    });
    expect(job.state).toBe("running");
    expect((await completed(job)).counts).toMatchObject({ total: 1, succeeded: 1 });
  }, 300_000);
});

it("keeps an edit whose numbers DynamoDB does not take", async () => {
  const patch = { large: 1.9663335977562e16, small: 5e-324, "": [] };
  const filter = { code: "NO_SUCH_CODE" };
  const job = await order({ action: "edit", patch, why: "large numbers", selection: { filter } });
  expect((await jobOf(job)).patch).toEqual(patch);
});
