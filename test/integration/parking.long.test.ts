import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { openFailures } from "#lib/agents/dlq/failure-lists.ts";
import {
  type Fault,
  ParkedFault,
  QuotaFault,
  RetryableFault,
  ThrottledFault,
} from "#lib/platform/errors/fault.ts";
import { taskView } from "#lib/work/views/task-view.ts";
import { Workflow } from "#schemas/config/workflows.ts";
import { replayStage } from "../fakes/replay-stage.ts";

let stage: Awaited<ReturnType<typeof replayStage>>;
/** How each step's next runs fail; afterwards it passes. */
const failures = new Map<string, Fault[]>();
const ran_at: number[] = [];

beforeAll(async () => {
  stage = await replayStage((step) => {
    ran_at.push(Date.now());
    const failure = failures.get(step)?.shift();
    if (failure) throw failure;
    return { verdict: "passed" };
  });
});
afterAll(() => stage.close());
beforeEach(async () => {
  failures.clear();
  ran_at.length = 0;
  await stage.drain();
});

const workflow = Workflow.parse({
  description: "test",
  requires: [],
  steps: [{ step: "work", agent: "worker", input: {} }],
});

async function submit(...faults: Fault[]): Promise<string> {
  failures.set("work", faults);
  return (await stage.submit(workflow)).task_id;
}
const step = async (task_id: string) => (await stage.ledger(task_id)).steps[0];
const view = async (task_id: string) => taskView(await stage.ledger(task_id), "0").steps[0];

async function pumpUntil(task_id: string, reached: () => boolean | Promise<boolean>): Promise<void> {
  for (const until = Date.now() + 60_000; Date.now() < until; ) {
    await stage.pump();
    if (await reached()) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error(`not reached: ${JSON.stringify(await stage.ledger(task_id))}`);
}
const ended = (task_id: string) => async () => (await stage.ledger(task_id)).task.ended_at !== undefined;
const letters = async () => {
  const { found } = await openFailures({ all: true }, {}, { order: "earliest" }, stage.ports);
  return found.map(({ record }) => [record.code, record.attempts, record.receives]);
};

describe("a step whose dependency's quota is spent until T", () => {
  it("shows as parked until when and why, runs after T, and spent no attempt on it", async () => {
    const retry_at_ms = Date.now() + 15_000; // longer than the first run takes on the slowest machine
    const task_id = await submit(new QuotaFault("MODEL_QUOTA_SPENT", "come back", { retry_at_ms }));
    await pumpUntil(task_id, () => ran_at.length === 1);
    const parked = (await view(task_id))!;
    expect(parked).toMatchObject({ status: "parked", code: "MODEL_QUOTA_SPENT", attempts: 0 });
    expect(Date.parse(parked.retry_at!)).toBeGreaterThanOrEqual(retry_at_ms);
    await pumpUntil(task_id, ended(task_id));
    expect(ran_at[1]).toBeGreaterThanOrEqual(retry_at_ms);
    expect(await step(task_id)).toMatchObject({ status: "completed", attempts: 1 });
    expect(await letters()).toEqual([]);
  });

  it("may be parked more often than its queue has receives and its policy has attempts", async () => {
    const since_ms = Date.now() + 60_000; // so that each comes back at once
    const parks = Array.from(
      { length: 22 },
      () => new ParkedFault("CIRCUIT_OPEN", "m", { retry_after_ms: 1, since_ms }),
    );
    const task_id = await submit(...parks);
    await pumpUntil(task_id, ended(task_id));
    expect(ran_at.length).toBe(23);
    expect((await stage.ledger(task_id)).task).toMatchObject({ status: "succeeded" });
    expect(await step(task_id)).toMatchObject({ attempts: 1, history: [{}] });
    expect(await letters()).toEqual([]);
  }, 120_000);

  it("ends at once and not in the DLQ when T comes after its deadline", async () => {
    const retry_at_ms = Date.now() + 90_000_000;
    const task_id = await submit(new QuotaFault("MODEL_QUOTA_SPENT", "come back later.", { retry_at_ms }));
    await pumpUntil(task_id, ended(task_id));
    const { task } = await stage.ledger(task_id);
    expect(task).toMatchObject({ verdict: "error", error: { code: "WAIT_EXCEEDS_DEADLINE" } });
    expect(task.error?.message).toContain("MODEL_QUOTA_SPENT: come back later.");
    expect(await letters()).toEqual([]);
  });
});

describe("a step that failed", () => {
  it("has its message hidden for as long as this failure asks", async () => {
    const task_id = await submit(new ThrottledFault("MODEL_THROTTLED", "m", { retry_after_ms: 2000 }));
    await pumpUntil(task_id, ended(task_id));
    expect(ran_at[1]! - ran_at[0]!).toBeGreaterThanOrEqual(2000);
    expect(await step(task_id)).toMatchObject({ status: "completed", attempts: 2 });
  });

  it("says in its failure record how often it was tried, and how often delivered apart", async () => {
    const flaky = () => new RetryableFault("MODEL_UNAVAILABLE", "m");
    const parked = new ParkedFault("CIRCUIT_OPEN", "m", { retry_after_ms: 1 });
    const task_id = await submit(flaky(), parked, flaky());
    await pumpUntil(task_id, ended(task_id));
    expect(ran_at.length).toBe(3);
    expect(await letters()).toEqual([["MODEL_UNAVAILABLE", 2, 1]]);
  });
});
