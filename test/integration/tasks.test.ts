import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { instant } from "#lib/platform/runtime/runtime.ts";
import { DELIVERY, TASK } from "#lib/platform/table/items.ts";
import { keyOf, listingOf } from "#lib/platform/table/keys.ts";
import { putItem } from "#lib/platform/table/operations.ts";
import { queryOverdue } from "#lib/platform/table/queries.ts";
import { countTasks } from "#lib/work/tasks/count-tasks.ts";
import { moveTask, overdueTasks } from "#lib/work/tasks/task-store.ts";
import { overdueDeliveries, readOverdue } from "#lib/work/webhooks/delivery-store.ts";
import { Workflow } from "#schemas/config/workflows.ts";
import { replayStage } from "../fakes/replay-stage.ts";

let stage: Awaited<ReturnType<typeof replayStage>>;
let verdict: "passed" | "failed" = "passed";
beforeAll(async () => {
  stage = await replayStage(() => ({ verdict }));
});
afterAll(() => stage.close());

const WORKFLOW = Workflow.parse({
  description: "test",
  requires: [],
  steps: [{ step: "only", agent: "worker", input: {} }],
});
const TENANT = "acme";
/** Writes the codes of errors to `codes`. */
const portsWith = (codes: string[]) => {
  const silent = stage.platform.logOf("sweeper");
  return { ...stage.ports, log: { ...silent, error: (code: string) => void codes.push(code) } };
};

/** A submitted task whose only step has been run, and whose orchestrator does not know yet. */
async function workedOn(): Promise<string> {
  const { task_id } = await stage.submit(WORKFLOW);
  await stage.pumpService("orchestrator");
  await stage.pumpService("worker");
  return task_id;
}

async function requestCancel(task_id: string): Promise<void> {
  const { task } = await stage.ledger(task_id);
  const now = stage.platform.runtime.now();
  expect(await moveTask(task, { cancel_requested_at: instant(now) }, now, stage.ports)).toBeDefined();
}

describe("a request to cancel", () => {
  it("that comes after the last step ended is too late, and the task ends as its steps did", async () => {
    const task_id = await workedOn();
    await requestCancel(task_id);
    await stage.pump();
    const { task } = await stage.ledger(task_id);
    expect(task).toMatchObject({ status: "succeeded", verdict: "passed", sealed_at: expect.any(String) });
    expect(task.cancel_requested_at).toBeUndefined();
  });

  it("that comes before the last step ended cancels the task", async () => {
    const { task_id } = await stage.submit(WORKFLOW);
    await stage.pumpService("orchestrator");
    await requestCancel(task_id);
    await stage.sweep(task_id);
    await stage.pumpService("orchestrator");
    await stage.pump();
    expect((await stage.ledger(task_id)).task.status).toBe("canceled");
  });
});

describe("what is overdue", () => {
  const listed = async () => {
    const now = instant(stage.platform.runtime.now() + 1);
    return queryOverdue(TASK, now, 400, stage.ports);
  };
  const ids = async (codes: string[] = []) =>
    (await overdueTasks(400, portsWith(codes))).map(({ task_id }) => task_id);

  it("is a task that nobody has looked at in time, until it is sealed", async () => {
    const { task_id } = await stage.submit(WORKFLOW);
    stage.clock.ahead_ms += 1;
    expect(await ids()).toContain(task_id);
    await stage.pump();
    expect(await ids()).not.toContain(task_id);
  });

  it("is found by its key: the index holds nothing else of it", async () => {
    const { task_id } = await stage.submit(WORKFLOW);
    const items = await listed();
    const mine = items.find(({ pk }) => String(pk).endsWith(task_id));
    expect(Object.keys(mine ?? {}).sort()).toEqual(["gsi2pk", "gsi2sk", "pk", "sk"]);
    await stage.pump();
  });

  it("is not a task that the lagging index lists still", async () => {
    const task_id = await workedOn();
    await stage.pump();
    const { task } = await stage.ledger(task_id);
    const check_at = instant(stage.platform.runtime.now() - 1);
    const listing = listingOf(TASK, "open_tasks", { shard: 0, check_at });
    await putItem({ ...keyOf(TASK, task), ...listing, ...task }, stage.ports);
    expect((await listed()).some(({ pk }) => String(pk).endsWith(task_id))).toBe(true);
    expect(await ids()).not.toContain(task_id);
    await putItem({ ...keyOf(TASK, task), ...task }, stage.ports);
  });

  it("and cannot be read is told, and keeps no other task from being swept", async () => {
    const { task_id } = await stage.submit(WORKFLOW);
    const place = { tenant: TENANT, task_id: "task_damaged" };
    const check_at = instant(stage.platform.runtime.now() - 1);
    const listing = listingOf(TASK, "open_tasks", { shard: 0, check_at });
    await putItem({ ...keyOf(TASK, place), ...listing, ...place, version: "many" }, stage.ports);
    const codes: string[] = [];
    const found = await ids(codes);
    expect(found).toContain(task_id);
    expect(found).not.toContain("task_damaged");
    expect(codes).toEqual(["TASK_UNREADABLE"]);
    await putItem(keyOf(TASK, place), stage.ports);
    await stage.pump();
  });

  it("is no delivery that has ended meanwhile", async () => {
    const place = { tenant: TENANT, task_id: "task_gone", step: "webhook" };
    const listing = listingOf(DELIVERY, "open_tasks", { shard: 3, check_at: instant(0) });
    await putItem({ ...keyOf(DELIVERY, place), ...listing }, stage.ports);
    const [overdue] = await overdueDeliveries(400, stage.ports);
    expect(overdue).toEqual({ key: keyOf(DELIVERY, place), check_at: instant(0) });
    expect(await readOverdue(overdue!, stage.ports)).toBeUndefined();
  });
});

describe("counting a tenant's tasks", () => {
  it("counts each task once by how it ended, and those that have not ended as open", async () => {
    stage.clock.ahead_ms += 25 * 3_600_000; // a new day: the tasks of the tests before are no longer counted
    const counts = () => countTasks(TENANT, stage.ports);
    expect(await counts()).toMatchObject({ open: 0, ended: {}, verdicts: {}, complete: true });
    await stage.submit(WORKFLOW);
    await stage.pump();
    await stage.submit(WORKFLOW);
    verdict = "failed";
    await stage.pump();
    const { task_id } = await stage.submit(WORKFLOW);
    await requestCancel(task_id);
    expect(await counts()).toMatchObject({ open: 1, ended: { succeeded: 1, failed: 1 } });
    await stage.pump();
    expect(await counts()).toMatchObject({
      open: 0,
      ended: { succeeded: 1, failed: 1, canceled: 1 },
      verdicts: { passed: 1, failed: 1 },
    });
    expect(await countTasks("another", stage.ports)).toMatchObject({ open: 0, ended: {} });
  });
});
