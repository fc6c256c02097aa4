import { SendMessageCommand } from "@aws-sdk/client-sqs";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { defineAgent } from "#lib/agents/agent/define-agent.ts";
import { openFailures, stateOf } from "#lib/agents/dlq/failure-lists.ts";
import { failureName } from "#lib/agents/dlq/failure-name.ts";
import { recordFailed, settleFailure } from "#lib/agents/dlq/failure-store.ts";
import {
  countResults,
  createJob,
  moveJob,
  orderOf,
  readJob,
  runStorage,
  walkResults,
} from "#lib/agents/dlq/replay-job-store.ts";
import { failedMessage } from "#lib/agents/dlq/replay-message.ts";
import { sendReplayRun } from "#lib/agents/dlq/send-replay-run.ts";
import { countDeadLetters } from "#lib/agents/dlq/sweep-dead-letters.ts";
import { TerminalFault } from "#lib/platform/errors/fault.ts";
import { stepClaims } from "#lib/resilience/idempotency/step-claims.ts";
import { Workflow } from "#schemas/config/workflows.ts";
import type { ReplayJobRecord, ReplayResultRecord } from "#schemas/records/replay.ts";
import { replays } from "../../functions/replays/agent.ts";
import type { ReplayJobPorts } from "../../functions/replays/ports.ts";
import { runJob } from "../../functions/replays/run-job.ts";
import { sweepSilentJobs } from "../../functions/replays/sweep-queues.ts";
import { fakeAgentContext } from "../fakes/agent-context.ts";
import { crashing } from "../fakes/crashing-ports.ts";
import { replayStage } from "../fakes/replay-stage.ts";

let stage: Awaited<ReturnType<typeof replayStage>>;
let ports: ReplayJobPorts;
/** Steps that fail for good, until the operator mends the cause. */
const broken = new Set<string>();
const limits = {
  $schema: "",
  replays_per_message_max: 2,
  approval_messages_max: 10,
  approval_seconds_max: 86_400,
  await_seconds_max: 0,
};
const only = Workflow.parse({
  description: "test",
  requires: [],
  steps: [{ agent: "worker", input: {}, step: "only" }],
});

beforeAll(async () => {
  stage = await replayStage(
    (step) => {
      if (broken.has(step)) throw new TerminalFault("BLOB_CORRUPT", `the cause of ${step} is broken`);
      return { verdict: "passed" };
    },
    {
      replays: (platform) => {
        ports = {
          ...platform,
          table_name: platform.settings.table_name,
          replays: () => limits,
          services: () => ["orchestrator", "worker", "replays"],
        };
        const claims = stepClaims({ ...ports }, runStorage);
        const agent = { ...replays, run: (input: never, context: never) => runJob(input, context, ports) };
        return defineAgent(agent, () => ({ ...platform, claims }));
      },
    },
  );
});
afterAll(() => stage?.close());
beforeEach(async () => {
  broken.clear();
  stage.effects.length = 0;
  stage.clock.ahead_ms = 0;
  await stage.drain();
  for (const one of await open()) await settleFailure(failedMessage(one), { as: "resolved" }, stage.ports);
});

const open = async () => (await openFailures({ all: true }, {}, { order: "earliest" }, stage.ports)).found;
const waiting = () => countDeadLetters("worker", stage.ports);

async function fail(count: number): Promise<string[]> {
  broken.add("only");
  const tasks = [];
  for (let index = 0; index < count; index += 1) tasks.push((await stage.submit(only)).task_id);
  await stage.pump();
  broken.clear();
  return tasks;
}
const statuses = async (tasks: string[]) =>
  (await Promise.all(tasks.map((task_id) => stage.ledger(task_id)))).map(({ task }) => task.status);

let jobs = 0;
function newJob(changes: Partial<ReplayJobRecord> = {}): ReplayJobRecord {
  jobs += 1;
  const at = new Date(stage.ports.runtime.now() + 1000).toISOString();
  return {
    replay_id: `replay_${String(jobs).padStart(26, "0")}`,
    tenant: "acme",
    all_tenants: true,
    action: "replay",
    method: "each",
    selection: { all: true },
    rate_per_second: 100,
    concurrency: 5,
    stop_on_failure_share: null,
    stop_on_open_circuit: false,
    state: "running",
    run: 1,
    dispatch_count: 0,
    truncated: false,
    counts: countResults([]),
    request_hash: "0",
    traceparent: `00-${"a".repeat(32)}-${"b".repeat(16)}-01`,
    created_at: at,
    created_by: "local",
    updated_at: at,
    expires_at: Math.ceil(Date.now() / 1000) + 1e6,
    ...changes,
  };
}
async function order(changes: Partial<ReplayJobRecord> = {}): Promise<ReplayJobRecord> {
  const job = await createJob(newJob(changes), ports);
  await sendReplayRun(job, stage.platform);
  return job;
}
const jobOf = async (job: ReplayJobRecord) => (await readJob(job, ports))!;
const resultsOf = async (job: ReplayJobRecord) => {
  const results: ReplayResultRecord[] = [];
  for await (const result of walkResults(job, ports)) results.push(result);
  return results;
};

describe("a replay job", () => {
  it("replays what is open, clears the queue, and a second one finds nothing to do", async () => {
    const tasks = await fail(3);
    expect(await waiting()).toBe(3);
    const job = await order();
    await stage.pump();
    expect(await jobOf(job)).toMatchObject({ state: "completed", counts: { total: 3, pending: 0 } });
    expect(await statuses(tasks)).toEqual(["succeeded", "succeeded", "succeeded"]);
    expect([await waiting(), (await open()).length, stage.effects.length]).toEqual([0, 0, 3]);
    const before = await Promise.all(tasks.map((task_id) => stage.ledger(task_id)));
    const again = await order();
    await stage.pump();
    expect(await jobOf(again)).toMatchObject({ state: "completed", counts: { total: 0 } });
    expect(await Promise.all(tasks.map((task_id) => stage.ledger(task_id)))).toEqual(before);
  });

  it("replays a message once that two jobs select", async () => {
    const tasks = await fail(4);
    const names = (await open()).map(failureName);
    const two = [await order({ selection: { failures: names } }), await order()];
    await stage.pump();
    const outcomes = (await Promise.all(two.map(resultsOf))).flat().map(({ outcome }) => outcome);
    expect(
      outcomes.filter((outcome) => outcome === "sent" || outcome === "succeeded").length,
    ).toBeGreaterThanOrEqual(4);
    expect(stage.effects).toHaveLength(4);
    expect(await statuses(tasks)).toEqual(Array(4).fill("succeeded"));
    for (const task_id of tasks) expect((await stage.ledger(task_id)).steps[0]?.replays).toHaveLength(1);
  });

  it("leaves alone what its filter does not mean", async () => {
    const [one = "", two = ""] = await fail(2);
    await order({ selection: { filter: { task: one } } });
    await stage.pump();
    expect(await statuses([one, two])).toEqual(["succeeded", "failed"]);
    expect([await waiting(), (await open()).length]).toEqual([1, 1]);
  });

  it("takes no other tenant's failures unless it may", async () => {
    const [task_id = ""] = await fail(1);
    const name = failureName((await open())[0]!);
    for (const selection of [{ all: true as const }, { failures: [name] }]) {
      const job = await order({ tenant: "other", all_tenants: false, selection });
      await stage.pump();
      expect(await jobOf(job)).toMatchObject({ state: "completed", counts: { total: 0 } });
    }
    expect(await statuses([task_id])).toEqual(["failed"]);
  });

  it("counts a message as permanently failed once it was replayed as often as allowed", async () => {
    const [task_id = ""] = await fail(1);
    broken.add("only");
    for (let replay = 0; replay < limits.replays_per_message_max; replay += 1) {
      await order();
      await stage.pump();
    }
    const job = await order();
    await stage.pump();
    expect(await jobOf(job)).toMatchObject({ counts: { total: 1, permanently_failed: 1 } });
    expect(stateOf((await open())[0]!.record, limits)).toBe("permanently_failed");
    expect((await stage.ledger(task_id)).steps[0]?.replays).toHaveLength(2);
  });

  it("discards with a reason, and what is discarded is replayed no more", async () => {
    const tasks = await fail(2);
    const names = (await open()).map(failureName);
    const job = await order({ action: "discard", why: "the tenant left" });
    await stage.pump();
    expect(await jobOf(job)).toMatchObject({ state: "completed", counts: { discarded: 2 } });
    expect([await waiting(), (await open()).length]).toEqual([0, 0]);
    const replay = await order({ selection: { failures: names } });
    await stage.pump();
    expect(await jobOf(replay)).toMatchObject({ counts: { not_found: 2 } });
    expect(await statuses(tasks)).toEqual(["failed", "failed"]);
  });

  it("records and replays a message that SQS moved itself", async () => {
    const [task_id = ""] = await fail(1);
    const [failure] = await open();
    await stage.drain();
    await settleFailure(failedMessage(failure!), { as: "resolved" }, stage.ports);
    const QueueUrl = stage.ports.deadLetterQueueUrl("worker");
    await stage.sqs.send(new SendMessageCommand({ QueueUrl, MessageBody: failure!.record.body }));
    const { sweepChangedQueues } = await import("#lib/agents/dlq/sweep-dead-letters.ts");
    expect((await sweepChangedQueues(["worker"], stage.ports)).worker).toMatchObject({
      recorded: 1,
      open: 1,
    });
    expect(await sweepChangedQueues(["worker"], stage.ports)).toEqual({});
    expect((await open())[0]?.record).toMatchObject({ native: true, code: "NATIVE_REDRIVE", task_id });
    await order();
    await stage.pump();
    expect([await statuses([task_id]), await waiting()]).toEqual([["succeeded"], 0]);
  });
});

describe("a discard of more failures than one operator may give up", () => {
  const discard = { action: "discard", why: "a test" } as const;
  const TOO_MANY = limits.approval_messages_max + 1;

  it("takes none, and waits for approval, also when nobody noticed as it was ordered", async () => {
    await fail(TOO_MANY);
    const job = await order(discard);
    await stage.pump();
    const waiting_job = await jobOf(job);
    expect(waiting_job).toMatchObject({
      state: "awaiting_approval",
      because: "SELECTION_CHANGED",
      matched: TOO_MANY,
    });
    expect([(await open()).length, (await resultsOf(job)).length]).toEqual([TOO_MANY, 0]);
    const approved = { state: "running", approved_by: "key:2", run: 2 } as const;
    await sendReplayRun((await moveJob(waiting_job, approved, ports))!, stage.platform);
    await stage.pump();
    expect(await jobOf(job)).toMatchObject({ state: "completed", counts: { discarded: TOO_MANY } });
  });

  it("waits again when its selection holds more than were approved", async () => {
    await fail(TOO_MANY);
    const job = await order({ ...discard, approved_by: "key:2", matched: TOO_MANY - 1 });
    const fewer = await order({ ...discard, approved_by: "key:2", matched: TOO_MANY, run: 1 });
    await stage.pumpService("replays");
    const states = (await Promise.all([job, fewer].map(jobOf))).map(({ state }) => state);
    expect(states).toContain("awaiting_approval");
    await stage.pump();
    expect(await jobOf(fewer)).toMatchObject({ state: "completed" });
    expect(await jobOf(job)).toMatchObject({ state: "awaiting_approval", matched: TOO_MANY });
    expect((await jobOf(job)).approved_by).toBeUndefined();
  });

  it("does not take what was recorded after it was ordered, whenever that failed", async () => {
    await fail(1);
    const [failure] = await open();
    const ordered = new Date(Date.parse(failure!.record.last_at) + 5000).toISOString();
    const late = { ...failure!.record, recorded_at: new Date(Date.parse(ordered) + 1).toISOString() };
    await recordFailed(late, "late", stage.ports);
    const job = await order({ ...discard, created_at: ordered });
    await stage.pump();
    expect(await jobOf(job)).toMatchObject({ counts: { total: 1, discarded: 1 } });
    expect((await open()).map(({ failure_id }) => failure_id)).toEqual(["late"]);
  });
});

describe("an operator's orders", () => {
  it("pause a job before its next message, and resume it where it was", async () => {
    const tasks = await fail(2);
    const job = await createJob(newJob(), ports);
    const paused = await moveJob(job, { state: "paused" }, ports);
    await sendReplayRun(job, stage.platform);
    await stage.pump();
    expect(await statuses(tasks)).toEqual(["failed", "failed"]);
    const resumed = (await moveJob(paused!, { state: "running", run: 2 }, ports))!;
    await sendReplayRun(job, stage.platform); // a late copy of the first run's message
    await stage.pump();
    expect(await statuses(tasks)).toEqual(["failed", "failed"]);
    await sendReplayRun(resumed, stage.platform);
    await stage.pump();
    expect(await statuses(tasks)).toEqual(["succeeded", "succeeded"]);
  });

  it("are obeyed by a worker that is at it", async () => {
    await fail(3);
    const job = await order({ rate_per_second: 0.1 });
    const working = stage.pumpService("replays");
    await expect.poll(async () => (await jobOf(job)).counts.pending, { timeout: 30_000 }).toBe(2);
    await moveJob(await jobOf(job), { state: "aborted" }, ports);
    await working;
    expect((await resultsOf(job)).map(({ outcome }) => outcome).sort()).toEqual([
      "pending",
      "pending",
      "sent",
    ]);
    expect(await jobOf(job)).toMatchObject({ state: "aborted" });
    expect(await open()).toHaveLength(2);
  });

  it("stop a job when too much of what it sent fails again", async () => {
    await fail(8);
    broken.add("only");
    const job = await order({ rate_per_second: 2, concurrency: 1, stop_on_failure_share: 0.5 });
    let done = false;
    const working = stage.pumpService("replays").finally(() => {
      done = true;
    });
    while (!done) {
      await stage.pumpService("worker");
      await stage.pumpService("orchestrator");
    }
    await working;
    const { state, because, counts } = await jobOf(job);
    expect([state, because]).toEqual(["paused", "REPLAY_FAILING"]);
    expect(counts.failed_again).toBeGreaterThanOrEqual(5);
    expect(counts.total).toBe(8);
  });
});

describe("a job whose message was lost", () => {
  it("is sent again by the sweeper once its worker was silent for long enough", async () => {
    const tasks = await fail(1);
    const job = await createJob(newJob(), ports);
    const sweeping = { ...ports, log: stage.platform.logOf("sweeper") };
    const sender = { ...sweeping, ...stage.platform };
    expect(await sweepSilentJobs(sender)).toBe(0);
    stage.clock.ahead_ms += 121_000;
    expect(await sweepSilentJobs(sender)).toBe(1);
    await stage.pump();
    expect(await jobOf(job)).toMatchObject({ state: "completed" });
    expect(await statuses(tasks)).toEqual(["succeeded"]);
  });
});

describe("a job killed at any of its writes and run again", () => {
  const gaps = ["before", "after"] as const;
  it.each(gaps)(
    "%s the write loses, doubles and forgets nothing",
    async (gap) => {
      let writes = 1;
      for (let crashed = true; crashed; writes += 1) {
        const tasks = await fail(2);
        stage.effects.length = 0;
        const job = await createJob(newJob(), ports);
        const input = { replay_id: job.replay_id, run: 1 };
        const context = {
          ...fakeAgentContext().context,
          runtime: stage.ports.runtime,
          envelope: { tenant: "acme" },
        };
        const dying = crashing(ports, { at: writes, gap });
        crashed = await dying.run((wrapped) => runJob(input, context as never, { ...ports, ...wrapped }));
        const before = await resultsOf(job);
        const clearing = before.length === 2 && before.every(({ outcome }) => outcome !== "pending");
        await stage.pump();
        await sendReplayRun(job, stage.platform);
        await stage.pump();
        expect(await jobOf(job), `write ${writes}`).toMatchObject({
          state: "completed",
          counts: { total: 2, pending: 0 },
        });
        const replayed = await Promise.all(tasks.map((task_id) => stage.ledger(task_id)));
        const seen = [
          await statuses(tasks),
          stage.effects,
          replayed.map(({ steps }) => steps[0]?.replays?.length),
        ];
        expect(seen, `write ${writes}`).toEqual([
          ["succeeded", "succeeded"],
          ["only", "only"],
          [1, 1],
        ]);
        expect(await open(), `write ${writes}`).toEqual([]);
        // Killed while it cleared the queue it holds messages for five minutes; the next sweep deletes those.
        if (!clearing) expect(await waiting(), `write ${writes}`).toBe(0);
        expect((await resultsOf(job)).map(({ order }) => order)).toEqual([orderOf(1), orderOf(2)]);
      }
      expect(writes).toBeGreaterThan(15);
    },
    600_000,
  );
});
