import { setTimeout as delay } from "node:timers/promises";
import { QueryCommand } from "@aws-sdk/lib-dynamodb";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { systemRuntime } from "#lib/platform/runtime/runtime.ts";
import { type FollowTask, lookAgain } from "#lib/work/tasks/task-news.ts";
import type { TaskRecord } from "#schemas/records/task.ts";
import type { GatewayPorts } from "../../functions/gateway/ports.ts";
import { readTask } from "../../functions/gateway/read-task.ts";
import { watchTaskWrites } from "../../local/task-writes.ts";
import { realTable } from "../fakes/real-table.ts";
import { manifestEntry, taskWriter } from "../fakes/real-task.ts";

const TENANT = "acme";
const SETTINGS = { service_version: "1" };
let table: Awaited<ReturnType<typeof realTable>>;
let writer: ReturnType<typeof taskWriter>;
let watched: FollowTask;
let number = 0;

beforeAll(async () => {
  table = await realTable();
  watched = watchTaskWrites(table.table);
  writer = taskWriter(TENANT, { ...table, runtime: systemRuntime });
});
afterAll(() => table.close());

interface Waited {
  ended: boolean;
  revision: string;
  reads: number;
}

/** One long poll, and how often it read the table. */
async function wait(
  task: TaskRecord,
  {
    wait_ms,
    revision,
    followTask = watched,
  }: { wait_ms: number; revision?: string; followTask?: FollowTask },
): Promise<Waited> {
  let reads = 0;
  const send = (command: object) => {
    if (command instanceof QueryCommand) reads += 1;
    return table.table.send(command as never);
  };
  const ports = { ...table, table: { send }, runtime: systemRuntime, settings: SETTINGS, followTask };
  const wanted = { wait_ms, revision };
  const view = await readTask(TENANT, task.task_id, wanted, ports as unknown as GatewayPorts);
  return { ended: view.ended_at !== undefined, revision: view.revision, reads };
}

function accept(): Promise<TaskRecord> {
  number += 1;
  return writer.accept(number);
}

describe("a long poll where every write is seen", () => {
  it("costs one read when nothing changes, and lasts as long as asked", async () => {
    const task = await accept();
    const started = performance.now();
    expect(await wait(task, { wait_ms: 400 })).toMatchObject({ ended: false, reads: 1 });
    expect(performance.now() - started).toBeGreaterThan(390);
  });

  it("answers at the end with a second read, and does not read for what happens before", async () => {
    const task = await accept();
    const waiting = wait(task, { wait_ms: 60_000 });
    await delay(100);
    await writer.complete(task, { step: "run" }, [manifestEntry("run/output.log")]);
    await writer.end(task);
    expect(await waiting).toMatchObject({ ended: true, reads: 2 });
  });

  it("answers at any change when it is asked for another revision", async () => {
    const task = await accept();
    const { revision } = await wait(task, { wait_ms: 0 });
    const waiting = wait(task, { wait_ms: 60_000, revision });
    await delay(100);
    await writer.complete(task, { step: "run" }, [manifestEntry("run/output.log")]);
    expect(await waiting).toMatchObject({ ended: false, revision: expect.not.stringMatching(revision) });
  });

  it("is not woken by another task", async () => {
    const [task, other] = [await accept(), await accept()];
    const waiting = wait(task, { wait_ms: 500 });
    await writer.end(other);
    expect(await waiting).toMatchObject({ ended: false, reads: 1 });
  });

  it("misses no end that comes between its read and its wait", async () => {
    const task = await accept();
    const slow: FollowTask = (followed) => {
      const news = watched(followed);
      return { ...news, next: (ms) => writer.end(task).then(() => news.next(ms)) };
    };
    expect(await wait(task, { wait_ms: 60_000, followTask: slow })).toMatchObject({ ended: true, reads: 2 });
  });
});

describe("a long poll where nobody tells of writes", () => {
  it("finds the end by reading again", async () => {
    const task = await accept();
    const waiting = wait(task, { wait_ms: 60_000, followTask: lookAgain(systemRuntime) });
    await delay(100);
    await writer.end(task);
    expect(await waiting).toMatchObject({ ended: true });
  });
});
