import { SendMessageCommand } from "@aws-sdk/client-sqs";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { openFailures } from "#lib/agents/dlq/failure-lists.ts";
import { readFailure, recordFailed, settleFailure } from "#lib/agents/dlq/failure-store.ts";
import { moveQueue } from "#lib/agents/dlq/move-queue.ts";
import { failedMessage, previewReplay, replayMessage } from "#lib/agents/dlq/replay-message.ts";
import { countDeadLetters, sweepDeadLetters } from "#lib/agents/dlq/sweep-dead-letters.ts";
import { TerminalFault } from "#lib/platform/errors/fault.ts";
import { moveTask, overdueTasks } from "#lib/work/tasks/task-store.ts";
import { Workflow } from "#schemas/config/workflows.ts";
import type { Envelope } from "#schemas/messages/envelope.ts";
import { crashing } from "../fakes/crashing-ports.ts";
import { replayStage } from "../fakes/replay-stage.ts";

let stage: Awaited<ReturnType<typeof replayStage>>;
/** Steps that fail for good, until the operator mends the cause. */
const broken = new Set<string>();

beforeAll(async () => {
  stage = await replayStage((step) => {
    const cause = new TypeError("the disk is full");
    if (broken.has(step))
      throw new TerminalFault("BLOB_CORRUPT", `the cause of ${step} is broken`, { cause });
    return { verdict: "passed", output: { [step]: "done" } };
  });
});
afterAll(() => stage.close());
beforeEach(async () => {
  broken.clear();
  stage.effects.length = 0;
  await stage.drain();
  for (const failure of (await openFailures({ all: true }, {}, { order: "earliest" }, stage.ports)).found) {
    await settleFailure(failedMessage(failure), { as: "resolved" }, stage.ports);
  }
});

const workflow = (...steps: (string | object)[]) =>
  Workflow.parse({
    description: "test",
    requires: [],
    steps: steps.map((step) => ({
      agent: "worker",
      input: {},
      ...(typeof step === "string" ? { step } : step),
    })),
  });
const SERVICES = ["orchestrator", "worker"];
const sweepAll = async () => {
  for (const service of SERVICES) await sweepDeadLetters(service, stage.ports);
};
/** The open failures, the earliest first. */
const failures = async () => {
  return (await openFailures({ all: true }, {}, { order: "earliest" }, stage.ports)).found;
};
const replayAll = async () => {
  const done: string[][] = [];
  for (const failure of await failures()) {
    const { did, reason } = await replayMessage(failedMessage(failure), stage.ports);
    done.push([did, reason]);
  }
  return done;
};
const plans = async () => {
  const planned = (await failures()).map((one) => previewReplay(failedMessage(one), stage.ports));
  return (await Promise.all(planned)).map(({ reason }) => reason);
};
/** What waits in the DLQs; as many messages as there are open failures. */
const letters = async () => {
  await sweepAll();
  const open = await failures();
  const counts = await Promise.all(SERVICES.map((service) => countDeadLetters(service, stage.ports)));
  expect(counts.reduce((sum, count) => sum + count, 0)).toBe(open.length);
  return open.map(({ record }) => [record.service, record.code]);
};
/** A task that ended because one of its steps failed for good; the cause is mended. */
async function failed(definition: Workflow, step: string) {
  broken.add(step);
  const { task_id } = await stage.submit(definition);
  await stage.pump();
  broken.clear();
  return (await stage.ledger(task_id)).task;
}
const onlyLetter = async () => {
  const [failure] = await failures();
  if (!failure) throw new Error("the DLQ is empty");
  return { ...failedMessage(failure), body: failure.record.body, record: failure.record };
};
/** Another dead letter of the same message, as SQS may have moved one. */
const copyOf = async (letter: Awaited<ReturnType<typeof onlyLetter>>) => {
  const failure_id = `native#${letter.failure_id.slice(0, 8)}`;
  await recordFailed(letter.record, failure_id, stage.ports);
  return { ...letter, failure_id };
};

describe("replaying a step that failed for good", () => {
  it("ends its task well, in the same trace, each step's effect made once", async () => {
    const before = await failed(workflow("first", "second", "third"), "second");
    expect(before).toMatchObject({ status: "failed", error: { code: "BLOB_CORRUPT", step: "second" } });
    expect(await letters()).toEqual([["worker", "BLOB_CORRUPT"]]);
    const [listed] = await failures();
    expect(listed!.record.cause_chain).toEqual(["TypeError: the disk is full"]);
    expect(await replayAll()).toEqual([["sent", "MESSAGE_SENT"]]);
    await stage.pump();

    const { task, steps } = await stage.ledger(before.task_id);
    expect(task).toMatchObject({ status: "succeeded", verdict: "passed", trace_id: before.trace_id });
    expect(task.error).toBeUndefined();
    expect(Date.parse(task.deadline_at)).toBeGreaterThan(Date.parse(before.deadline_at));
    expect(stage.effects).toEqual(["first", "second", "third"]);
    const second = steps.find(({ step }) => step === "second")!;
    expect(second.replays).toMatchObject([{ code: "BLOB_CORRUPT", message_id: listed!.record.message_id }]);
    expect(second.outcome).toMatchObject({ verdict: "passed", replay_count: 1 });
    expect(await letters()).toEqual([]);
    const failure = await readFailure("acme", listed!.failure_id, stage.ports);
    expect(failure).toMatchObject({ replayed_at: expect.any(String), resolved_at: expect.any(String) });
    expect(failure?.expires_at).toBeGreaterThan(Date.now() / 1000 + 29 * 86_400);
  });

  it("sends the same message in a new envelope", async () => {
    await failed(workflow("only"), "only");
    const [listed] = await failures();
    const old = failedMessage(listed!).envelope!;
    const sent: Envelope[] = [];
    const sqs = crashing(stage.ports, { see: (body) => sent.push(JSON.parse(body)) });
    await replayMessage(failedMessage(listed!), sqs);
    const { message_id, span_id, traceparent, issued_at, deadline_at, ...same } = sent[0]!;
    expect(same).toMatchObject({
      trace_id: old.trace_id,
      replay_of: old.message_id,
      parent_span_id: old.span_id,
      idempotency_key: old.idempotency_key,
      source_hash: old.source_hash,
      payload: old.payload,
    });
    expect([message_id, span_id]).not.toEqual([old.message_id, old.span_id]);
    expect(traceparent).toContain(`${old.trace_id}-${span_id}`);
    expect([issued_at > old.issued_at, deadline_at > old.deadline_at]).toEqual([true, true]);
    await stage.pump();
  });

  it("that fails again dead-letters it again, with a record of its own, and may be replayed again", async () => {
    const { task_id } = await failed(workflow("only"), "only");
    broken.add("only");
    await replayAll();
    await stage.pump();
    expect((await stage.ledger(task_id)).task.status).toBe("failed");
    const [again] = await failures();
    expect(again!.record).toMatchObject({ code: "BLOB_CORRUPT", replay_count: 1 });
    broken.clear();
    await replayAll();
    await stage.pump();
    const { task, steps } = await stage.ledger(task_id);
    expect([task.status, steps[0]!.replays!.length, stage.effects]).toEqual(["succeeded", 2, ["only"]]);
  });

  it("twice at the same time re-arms it once", async () => {
    const { task_id } = await failed(workflow("only"), "only");
    const letter = await onlyLetter();
    const done = await Promise.all([1, 2, 3].map(() => replayMessage(letter, stage.ports)));
    expect(done.map(({ did }) => did)).toContain("sent");
    await stage.pump();
    const { task, steps } = await stage.ledger(task_id);
    expect([task.status, steps[0]!.replays!.length, stage.effects]).toEqual(["succeeded", 1, ["only"]]);
  });

  it("again after it succeeded changes nothing", async () => {
    const { task_id } = await failed(workflow("only"), "only");
    const letter = await onlyLetter();
    await replayMessage(letter, stage.ports);
    await stage.pump();
    const before = await stage.ledger(task_id);
    const again = await replayMessage(letter, stage.ports);
    expect(again).toMatchObject({ did: "removed", reason: "REPLAYED_ALREADY" });
    expect(await replayAll()).toEqual([]);
    await stage.pump();
    expect(await stage.ledger(task_id)).toEqual(before);
  });

  it("works for the last step of a task that did without it", async () => {
    const { task_id } = await failed(workflow("first", { step: "extra", optional: true }), "extra");
    expect((await stage.ledger(task_id)).task.status).toBe("succeeded");
    await replayAll();
    await stage.pump();
    const { task, steps } = await stage.ledger(task_id);
    expect([task.status, steps[1]!.outcome?.verdict, stage.effects]).toEqual([
      "succeeded",
      "passed",
      ["first", "extra"],
    ]);
  });

  it("keeps the finished steps as long as the task, so that none is run again", async () => {
    const { task_id } = await failed(workflow("first", "second"), "second");
    const letter = await onlyLetter();
    const [day_ms, hour_ms] = [86_400_000, 3_600_000];
    stage.clock.ahead_ms += day_ms + hour_ms / 2;
    await replayMessage(letter, stage.ports);
    stage.clock.ahead_ms += 0.75 * hour_ms;
    await stage.sweep(task_id);
    await stage.pump();
    expect(stage.effects).toEqual(["first", "second"]);
    expect((await stage.ledger(task_id)).steps.map(({ step }) => step)).toEqual(["first", "second"]);
  });

  it("works for a step that its task's deadline stopped", async () => {
    const task = await failed(workflow("only"), "only");
    const letter = await onlyLetter();
    await crashing(stage.ports, { at: 3, gap: "after" }).run((ports) => replayMessage(letter, ports));
    stage.clock.ahead_ms += 3_600_001;
    await stage.sweep(task.task_id);
    await stage.pump();
    expect((await stage.ledger(task.task_id)).task.error?.code).toBe("DEADLINE_EXCEEDED");
    const copy = await copyOf(letter);
    expect(await replayMessage(copy, stage.ports)).toMatchObject({ did: "sent" });
    await stage.pump();
    const { task: ended, steps } = await stage.ledger(task.task_id);
    expect([ended.status, stage.effects]).toEqual(["succeeded", ["only"]]);
    expect(steps[0]!.replays!.map(({ code }) => code)).toEqual(["BLOB_CORRUPT", "DEADLINE_EXCEEDED"]);
  });
});

describe("a replay killed anywhere and run again", () => {
  const gaps = ["before", "after"] as const;
  it.each(gaps)("%s each of its writes leaves nothing undone and nothing done twice", async (gap) => {
    let writes = 1;
    for (let crashed = true; crashed; writes += 1) {
      const { task_id } = await failed(workflow("first", "second", "third"), "second");
      stage.effects.length = 0;
      const letter = await onlyLetter();
      crashed = await crashing(stage.ports, { at: writes, gap }).run((ports) => replayMessage(letter, ports));
      await stage.pump();
      await replayAll();
      await stage.pump();
      const { task, steps } = await stage.ledger(task_id);
      const seen = [task.status, stage.effects, steps[1]!.replays!.length, await letters()];
      expect(seen, `write ${writes}`).toEqual(["succeeded", ["second", "third"], 1, []]);
    }
    expect(writes).toBeGreaterThan(5);
  });

  it("after the task was reopened is finished by the sweeper alone", async () => {
    const { task_id } = await failed(workflow("only"), "only");
    const letter = await onlyLetter();
    const died = await crashing(stage.ports, { at: 3, gap: "after" }).run((ports) =>
      replayMessage(letter, ports),
    );
    expect(died).toBe(true);
    stage.clock.ahead_ms += 31_000;
    const overdue = await overdueTasks(100, { ...stage.ports, log: stage.platform.logOf("sweeper") });
    stage.clock.ahead_ms -= 31_000;
    expect(overdue.map((task) => task.task_id)).toContain(task_id);
    await stage.sweep(task_id);
    await stage.pump();
    expect((await stage.ledger(task_id)).task.status).toBe("succeeded");
    expect(await replayAll()).toEqual([["removed", "REPLAYED_ALREADY"]]);
    expect(stage.effects).toEqual(["only"]);
  });

  it("after a stray copy of the message ran the re-armed step still takes the task up again", async () => {
    const { task_id } = await failed(workflow("only", "next"), "only");
    const letter = await onlyLetter();
    await crashing(stage.ports, { at: 1, gap: "after" }).run((ports) => replayMessage(letter, ports));
    await stage.sqs.send(
      new SendMessageCommand({ QueueUrl: stage.ports.queueUrl("worker"), MessageBody: letter.body }),
    );
    await stage.pump();
    expect((await stage.ledger(task_id)).task.status).toBe("failed");
    await replayAll();
    await stage.sweep(task_id);
    await stage.pump();
    expect([(await stage.ledger(task_id)).task.status, stage.effects]).toEqual([
      "succeeded",
      ["only", "next"],
    ]);
  });

  it("does not lose the failure of a stray copy that ran the re-armed step", async () => {
    const { task_id } = await failed(workflow("only"), "only");
    const letter = await onlyLetter();
    broken.add("only");
    await crashing(stage.ports, { at: 1, gap: "after" }).run((ports) => replayMessage(letter, ports));
    await stage.sqs.send(
      new SendMessageCommand({ QueueUrl: stage.ports.queueUrl("worker"), MessageBody: letter.body }),
    );
    await stage.pump();
    broken.clear();
    for (let again = 0; again < 3; again += 1) {
      await replayAll();
      await stage.sweep(task_id);
      await stage.pump();
    }
    expect([(await stage.ledger(task_id)).task.status, stage.effects, await letters()]).toEqual([
      "succeeded",
      ["only"],
      [],
    ]);
  });
});

describe("a replay leaves alone", () => {
  it("a canceled task: the message is only taken out", async () => {
    const task = await failed(workflow("only"), "only");
    await moveTask(task, { status: "canceled" }, undefined, stage.ports);
    expect(await replayAll()).toEqual([["removed", "TASK_CANCELED"]]);
    await stage.pump();
    expect([(await stage.ledger(task.task_id)).task.status, stage.effects]).toEqual(["canceled", []]);
  });

  it("a step the task went on without, whose later steps would get another input", async () => {
    await failed(workflow({ step: "first", optional: true }, "second"), "first");
    expect(await plans()).toEqual(["STEP_SUPERSEDED"]);
    expect(await replayAll()).toEqual([["kept", "STEP_SUPERSEDED"]]);
    expect(await letters()).toEqual([["worker", "BLOB_CORRUPT"]]);
  });

  it("a step with a live lease, and sends it once the lease is over", async () => {
    const task = await failed(workflow("only"), "only");
    const letter = await onlyLetter();
    await crashing(stage.ports, { at: 3, gap: "after" }).run((ports) => replayMessage(letter, ports));
    const { tenant, task_id, step, round, service, idempotency_key, source_hash } = letter.envelope!;
    const identity = { key: { tenant, task_id, step, round }, service, idempotency_key, source_hash };
    const expires_at = Date.now() + 1e9;
    const claim = { ...identity, expires_at, owner: "w", lease_ms: 10_000, attempts_max: 2 };
    expect(await stage.platform.claims.claim(claim)).toMatchObject({ kind: "claimed" });
    const fresh = await copyOf(letter);
    const kept = await replayMessage(fresh, stage.ports);
    expect(kept).toMatchObject({ did: "kept", reason: "STEP_IN_PROGRESS" });
    stage.clock.ahead_ms += 11_000;
    expect(await replayMessage(fresh, stage.ports)).toMatchObject({ did: "sent" });
    await stage.pump();
    expect([(await stage.ledger(task.task_id)).task.status, stage.effects]).toEqual(["succeeded", ["only"]]);
  });

  it("messages that cannot be read", async () => {
    const QueueUrl = stage.ports.queueUrl("worker");
    await stage.sqs.send(new SendMessageCommand({ QueueUrl, MessageBody: "poison" }));
    await stage.pump();
    expect(await replayAll()).toEqual([["kept", "MESSAGE_UNREADABLE"]]);
    await stage.pump();
    expect(await letters()).toEqual([["worker", "ENVELOPE_INVALID"]]);
  });

  it("messages of a task there never was", async () => {
    await failed(workflow("only"), "only");
    const letter = await onlyLetter();
    const { body } = letter;
    await stage.drain();
    await settleFailure(letter, { as: "resolved" }, stage.ports);
    const stranger = body.replaceAll(/task_0/g, "task_z");
    const QueueUrl = stage.ports.deadLetterQueueUrl("worker");
    await stage.sqs.send(new SendMessageCommand({ QueueUrl, MessageBody: stranger }));
    expect(await letters()).toEqual([["worker", "NATIVE_REDRIVE"]]);
    expect(await replayAll()).toEqual([["kept", "TASK_UNKNOWN"]]);
  });

  it("what the filter does not mean", async () => {
    const one = await failed(workflow("only"), "only");
    const two = await failed(workflow("only"), "only");
    const filter = { task: one.task_id };
    const { found } = await openFailures({ all: true }, filter, { order: "earliest" }, stage.ports);
    expect(found).toHaveLength(1);
    await replayMessage(failedMessage(found[0]!), stage.ports);
    await stage.pump();
    const statuses = [one, two].map(async ({ task_id }) => (await stage.ledger(task_id)).task.status);
    expect(await Promise.all(statuses)).toEqual(["succeeded", "failed"]);
  });
});

describe("a message SQS moved itself", () => {
  it("has no record, says so, and replays like any other", async () => {
    const { task_id } = await failed(workflow("only"), "only");
    const letter = await onlyLetter();
    const { body } = letter;
    await stage.drain();
    await settleFailure(letter, { as: "resolved" }, stage.ports);
    const QueueUrl = stage.ports.deadLetterQueueUrl("worker");
    await stage.sqs.send(new SendMessageCommand({ QueueUrl, MessageBody: body }));
    await sweepAll();
    const [listed] = await failures();
    const { code, native, message } = listed!.record;
    expect([code, native]).toEqual(["NATIVE_REDRIVE", true]);
    expect(message).toContain("each time the worker died");
    expect(await replayAll()).toEqual([["sent", "MESSAGE_SENT"]]);
    await stage.pump();
    expect([(await stage.ledger(task_id)).task.status, stage.effects]).toEqual(["succeeded", ["only"]]);
  });
});

describe("discarding", () => {
  it("takes out what is meant, for good, and notes it in the failure record", async () => {
    const one = await failed(workflow("only"), "only");
    await failed(workflow("only"), "only");
    const { found } = await openFailures(
      { all: true },
      { task: one.task_id },
      { order: "earliest" },
      stage.ports,
    );
    const gone = failedMessage(found[0]!);
    const settlement = { as: "discarded", because: "a test" } as const;
    expect(await settleFailure(gone, settlement, stage.ports)).toBe(true);
    expect(await settleFailure(gone, settlement, stage.ports)).toBe(false);
    expect(await letters()).toEqual([["worker", "BLOB_CORRUPT"]]);
    const record = await readFailure("acme", gone.failure_id, stage.ports);
    expect(record).toMatchObject({ discarded_at: expect.any(String) });
  });
});

describe("a whole queue", () => {
  const moveAll = async () => {
    await sweepAll();
    return moveQueue("worker", { limit: 1000, replays_max: 5 }, stage.ports);
  };

  it("moves back by SQS itself, prepared, without what would only fail again", async () => {
    const tasks = [await failed(workflow("only"), "only"), await failed(workflow("only"), "only")];
    const QueueUrl = stage.ports.queueUrl("worker");
    await stage.sqs.send(new SendMessageCommand({ QueueUrl, MessageBody: "poison" }));
    await stage.pump();
    expect(await moveAll()).toEqual({ moved: 2, removed: 0, kept: 1 });
    await stage.pump();
    for (const { task_id } of tasks) expect((await stage.ledger(task_id)).task.status).toBe("succeeded");
    expect(stage.effects).toEqual(["only", "only"]);
    expect(await letters()).toEqual([["worker", "ENVELOPE_INVALID"]]);
  });

  it("moves messages whose deadline has passed, which are then dispatched anew", async () => {
    const { task_id } = await failed(workflow("only"), "only");
    stage.clock.ahead_ms += 3_600_001;
    expect(await moveAll()).toEqual({ moved: 1, removed: 0, kept: 0 });
    await stage.pump();
    expect([(await stage.ledger(task_id)).task.status, stage.effects]).toEqual(["succeeded", ["only"]]);
  });
});
