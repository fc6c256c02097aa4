import { HeadObjectCommand, PutObjectCommand, type S3Client } from "@aws-sdk/client-s3";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { deadLetter } from "#lib/agents/dlq/failure-store.ts";
import { dynamodbSnapshotPointers } from "#lib/code/graph/snapshot-pointers.ts";
import { artifactKey, uploadKey } from "#lib/platform/blobs/object-keys.ts";
import { s3Blobs } from "#lib/platform/blobs/s3-blobs.ts";
import { systemRuntime } from "#lib/platform/runtime/runtime.ts";
import { writeStandardLayout } from "#lib/work/artifacts/standard-layout.ts";
import { readLedger } from "#lib/work/tasks/task-store.ts";
import type { BlobRef } from "#schemas/primitives.ts";
import type { FailureRecord } from "#schemas/records/failure.ts";
import type { TaskRecord } from "#schemas/records/task.ts";
import { listArtifacts } from "../../functions/gateway/list-artifacts.ts";
import { ArtifactQuery } from "../../functions/gateway/queries.ts";
import { type CleanRequest, clean } from "../../scripts/artifacts-clean/clean.ts";
import { realBucket } from "../fakes/real-bucket.ts";
import { realTable } from "../fakes/real-table.ts";
import { taskWriter } from "../fakes/real-task.ts";

const DAY_MS = 86_400_000;
const retention = { $schema: "", tasks_days: 30, blobs_days: 50, uploads_days: 30, orphans_days: 15 };
let table: Awaited<ReturnType<typeof realTable>>;
let store: Awaited<ReturnType<typeof realBucket>>;
let later_ms = 0;
let tenants = 0;
let tenant = "";
const runtime = { ...systemRuntime, now: () => Date.now() + later_ms };
const tell = () => undefined;
const ports = () => ({ ...table, ...store, runtime, retention, tell });
const days = (count: number) => {
  later_ms = count * DAY_MS;
};

beforeAll(async () => {
  [table, store] = await Promise.all([realTable(), realBucket()]);
});
afterAll(() => Promise.all([table.close(), store.close()]));
beforeEach(() => {
  tenants += 1;
  tenant = `tenant-${tenants}`;
  days(0);
});

const write = (text: string, snapshots = false) =>
  s3Blobs({ tenant, snapshots, s3: store.s3, bucket: store.bucket }).write(text, "text/plain");
const cleaned = (request: Partial<CleanRequest> = {}, changes: object = {}) =>
  clean({ dry_run: false, tenant, ...request }, { ...ports(), ...changes });

async function exists(key: string): Promise<boolean> {
  const head = new HeadObjectCommand({ Bucket: store.bucket, Key: key });
  return store.s3.send(head).then(
    () => true,
    () => false,
  );
}

/** An ended task with one step of one file, in the standard layout. */
async function endedTask(number: number, blob: BlobRef): Promise<TaskRecord> {
  const writer = taskWriter(tenant, ports());
  const task = await writer.accept(number);
  const artifact = { path: "run/output.log", blob, content_type: "text/plain" };
  await writer.complete(task, { step: "run", service: "sandbox" }, [artifact]);
  const ended = await writer.end(task);
  const ledger = await readLedger(tenant, task.task_id, ports());
  await writeStandardLayout(ledger!, { ...store, service_version: "1" });
  return ended;
}

const layoutKey = (task: TaskRecord) => artifactKey(tenant, task.task_id, "run/output.log");
const index = () => listArtifacts(tenant, ArtifactQuery.parse({}), ports());

describe("cleaning", () => {
  it("takes a task past its time with its index entry and its files, and leaves a younger one", async () => {
    const old = await endedTask(1, await write("old"));
    days(20);
    const young = await endedTask(2, await write("young"));
    days(31.5);
    expect(await cleaned()).toMatchObject({ tenants: 1, tasks: 1 });
    expect(await readLedger(tenant, old.task_id, ports())).toBeUndefined();
    expect(await readLedger(tenant, young.task_id, ports())).toBeDefined();
    expect([await exists(layoutKey(old)), await exists(layoutKey(young))]).toEqual([false, true]);
    expect((await index()).entries.map(({ task_id }) => task_id)).toEqual([young.task_id]);
    expect(await cleaned()).toMatchObject({ tasks: 0, objects: 0 });
  });

  it("changes nothing on a dry run, and then deletes exactly what that said", async () => {
    const blob = await write("blob");
    const task = await endedTask(1, blob);
    await write("written by a fenced worker");
    days(40);
    const said = await cleaned({ dry_run: true });
    expect(said).toMatchObject({ tasks: 1, objects: 5 });
    expect([await exists(layoutKey(task)), await exists(blob.key)]).toEqual([true, true]);
    expect(await cleaned({ dry_run: true })).toEqual(said);
    expect(await cleaned()).toEqual(said);
    expect([await exists(layoutKey(task)), await exists(blob.key)]).toEqual([false, false]);
  });

  it("takes a blob nothing refers to after its grace time, and not before", async () => {
    const orphan = await write("left by an aborted attempt");
    days(14);
    expect((await cleaned()).objects).toBe(0);
    days(16);
    expect(await cleaned()).toMatchObject({ objects: 1, bytes: orphan.bytes });
    expect(await exists(orphan.key)).toBe(false);
  });

  it("keeps a blob two tasks share until the last of them is gone", async () => {
    const shared = await write("shared");
    await endedTask(1, shared);
    days(20);
    await endedTask(2, shared);
    days(40);
    expect((await cleaned()).tasks).toBe(1);
    expect(await exists(shared.key)).toBe(true);
    days(60);
    expect((await cleaned()).tasks).toBe(1);
    expect(await exists(shared.key)).toBe(false);
  });

  it("never touches an open task, whatever its age, nor what it refers to", async () => {
    const [source, diff, output] = await Promise.all([write("source"), write("diff"), write("output")]);
    const uploaded = { ...source, key: uploadKey(tenant, source.sha256) };
    await put(uploaded.key, store.s3);
    const task = await taskWriter(tenant, ports()).accept(1, {
      source: { kind: "archive", blob: uploaded },
      change: { kind: "patch", diffs: [diff] },
    });
    const artifact = { path: "run/output.log", blob: output, content_type: "text/plain" };
    await taskWriter(tenant, ports()).complete(task, { step: "run" }, [artifact]);
    days(100);
    const older_than_ms = 1;
    expect(await cleaned({ older_than_ms })).toMatchObject({ tasks: 0, bytes: source.bytes, objects: 1 });
    expect(await Promise.all([uploaded, diff, output].map(({ key }) => exists(key)))).toEqual([
      true,
      true,
      true,
    ]);
    expect((await readLedger(tenant, task.task_id, ports()))?.task.status).toBe("accepted");
  });

  it("keeps the current graph snapshot and takes the one it replaced", async () => {
    const pointers = dynamodbSnapshotPointers(table);
    const [first, second] = [await write("first", true), await write("second", true)];
    const revision = "a".repeat(64);
    await pointers.move(tenant, "shop", { version: 1, revision, blob: first }, undefined);
    await pointers.move(tenant, "shop", { version: 2, revision, blob: second }, 1);
    days(400);
    expect((await cleaned()).objects).toBe(1);
    expect([await exists(first.key), await exists(second.key)]).toEqual([false, true]);
  });

  it("keeps what a message in the DLQ refers to", async () => {
    const payload = await write("payload by claim check");
    const body = JSON.stringify({ payload_ref: payload });
    await deadLetter(failure(body), "failure", body, {
      ...table,
      sqs: { send: async () => ({}) } as never,
      dead_letter_queue_url: "dlq",
    });
    days(100);
    expect((await cleaned()).objects).toBe(0);
    expect(await exists(payload.key)).toBe(true);
  });

  it("leaves a blob that was written again while it looked", async () => {
    const blob = await write("again");
    days(100);
    let written = false;
    const s3 = {
      send: async (command: object) => {
        const answer = await store.s3.send(command as never);
        if (!written && command.constructor.name === "ListObjectsV2Command") {
          written = true;
          await new Promise((resolve) => setTimeout(resolve, 1100)); // S3's header has whole seconds
          await write("again");
        }
        return answer;
      },
    };
    expect((await cleaned({}, { s3 })).objects).toBe(0);
    expect(await exists(blob.key)).toBe(true);
  });

  it("shortens the time of ended tasks by --older-than", async () => {
    const task = await endedTask(1, await write("short"));
    days(2);
    expect((await cleaned({ older_than_ms: 3 * DAY_MS })).tasks).toBe(0);
    expect((await cleaned({ older_than_ms: DAY_MS })).tasks).toBe(1);
    expect(await readLedger(tenant, task.task_id, ports())).toBeUndefined();
  });

  it("goes through every tenant in the bucket, and through one only when asked to", async () => {
    const owners = ["alpha", "alpha-2", "alpha0", "beta"];
    for (const owner of owners) {
      tenant = owner;
      await write(owner);
    }
    days(100);
    expect(await cleaned({ tenant: "alpha" })).toMatchObject({ tenants: 1, objects: 1 });
    const { tenants: visited, objects } = await cleaned({ tenant: undefined });
    expect(visited).toBeGreaterThanOrEqual(3);
    expect(objects).toBeGreaterThanOrEqual(3);
    for (const owner of owners) expect((await cleaned({ tenant: owner })).objects).toBe(0);
  });
});

describe("a clean-up killed at any point", () => {
  it("never shows half a task, and the next one finishes", async () => {
    const early = { older_than_ms: DAY_MS };
    for (let calls = 0; calls < 60; calls += 1) {
      tenant = `killed-${calls}`;
      days(0);
      const task = await endedTask(1, await write("bytes"));
      days(2);
      const killed = await cleaned(early, dyingAfter(calls)).then(
        () => false,
        () => true,
      );
      const ledger = await readLedger(tenant, task.task_id, ports());
      if (ledger) expect([ledger.steps.length, await exists(layoutKey(task))]).toEqual([1, true]);
      await cleaned(early);
      expect(await readLedger(tenant, task.task_id, ports())).toBeUndefined();
      expect([await exists(layoutKey(task)), (await index()).entries]).toEqual([false, []]);
      expect(await cleaned(early)).toMatchObject({ tasks: 0, objects: 0 });
      if (!killed) return;
    }
    throw new Error("it takes more than 60 calls");
  });
});

/** Table and bucket that fail for good after so many calls. */
function dyingAfter(calls: number) {
  let left = calls;
  const die = () => {
    left -= 1;
    if (left < 0) throw new Error("killed");
  };
  const wrap = (client: { send(command: never): Promise<unknown> }) => ({
    send: async (command: never) => {
      die();
      return client.send(command);
    },
  });
  return { table: wrap(table.table), s3: wrap(store.s3) };
}

async function put(key: string, s3: S3Client): Promise<void> {
  await s3.send(new PutObjectCommand({ Bucket: store.bucket, Key: key, Body: "archive" }));
}

function failure(body: string): FailureRecord {
  const at = new Date(runtime.now()).toISOString();
  return {
    message_id: "message",
    tenant,
    service: "codegen",
    code: "UNEXPECTED",
    message: "m",
    cause_chain: [],
    fingerprint: "e".repeat(64),
    attempts: 1,
    first_at: at,
    last_at: at,
    function_name: "f",
    request_id: "r",
    policy_hash: "p",
    body,
  };
}
