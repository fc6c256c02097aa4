import type { SQSClient } from "@aws-sdk/client-sqs";
import { PutCommand, UpdateCommand } from "@aws-sdk/lib-dynamodb";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { deadLetter } from "#lib/agents/dlq/failure-store.ts";
import { jsonLog } from "#lib/platform/log/json-log.ts";
import { addCounts, readTotals } from "#lib/platform/metrics/count-store.ts";
import { instant, type Runtime } from "#lib/platform/runtime/runtime.ts";
import { FAILURE, STEP, TASK } from "#lib/platform/table/items.ts";
import { listOf } from "#lib/platform/table/keys.ts";
import { queryPage } from "#lib/platform/table/query-page.ts";
import type { ClaimResult, Lease } from "#lib/resilience/idempotency/step-claims.ts";
import { stepClaims } from "#lib/resilience/idempotency/step-claims.ts";
import { createTask, moveTask, overdueTasks, readLedger } from "#lib/work/tasks/task-store.ts";
import type { StepRecord } from "#schemas/records/step.ts";
import type { TaskRecord } from "#schemas/records/task.ts";
import { realTable } from "../../fakes/real-table.ts";
import { type Random, seededRandom } from "../engine/random.ts";
import { type BothTables, bothTables } from "./both-tables.ts";
import { drawCondition, drawItem } from "./draw-condition.ts";

let store: Awaited<ReturnType<typeof realTable>>;
let both: BothTables;
beforeAll(async () => {
  store = await realTable();
  both = bothTables(store.table);
});
afterAll(() => store.close());

const taskId = (number: number) => `task_${String(number).padStart(26, "0")}`;

function newTask(task_id: string, now: number): TaskRecord {
  return {
    tenant: "acme",
    task_id,
    status: "accepted",
    spec: {
      workflow: "index",
      source: { kind: "git", url: "https://x.test/y" },
      repository: "r",
      profile: "p",
    },
    definition: {
      description: "d",
      requires: [],
      steps: [{ step: "index", agent: "indexing", input: {}, optional: false, always: false }],
    },
    submission_hash: "a".repeat(64),
    trace_id: "1".repeat(32),
    traceparent: `00-${"1".repeat(32)}-${"2".repeat(16)}-01`,
    version: 1,
    created_at: instant(now),
    updated_at: instant(now),
    deadline_at: instant(now + 1000),
  };
}

/** Does at random what the code under simulation can do to the table, and lets both tables answer. */
function driver(random: Random) {
  const { table } = both;
  let now = Date.UTC(2026, 0, 1);
  const runtime = { now: () => now, random: random.next, uuid: random.uuid, hex: random.hex } as Runtime;
  const ports = { table, table_name: "table", runtime, log: jsonLog({}, () => {}) };
  const claims = stepClaims(ports);
  const leases: { key: typeof key; lease: Lease }[] = [];
  const exhausted: StepRecord[] = [];
  const tasks: TaskRecord[] = [];
  let key = { tenant: "acme", task_id: taskId(1), step: "index", round: 0 };

  const remember = (result: ClaimResult) => {
    if (result.kind === "claimed") leases.push({ key, lease: result.lease });
    if (result.kind === "exhausted") exhausted.push(result.record);
  };
  const identity = () => ({
    key,
    service: "indexing",
    idempotency_key: "b".repeat(64),
    source_hash: (random.chance(0.95) ? "a" : "c").repeat(64),
    expires_at: 4_000_000_000,
  });
  const outcome = {
    verdict: "passed" as const,
    artifacts: [],
    output: { exit_code: null, list: [1, { a: "x" }] },
  };
  const anyLease = () => random.pick(leases.slice(-6));

  const operations: (() => Promise<unknown>)[] = [
    async () =>
      remember(
        await claims.claim({
          ...identity(),
          owner: random.uuid(),
          lease_ms: random.int(2, 6),
          attempts_max: 3,
        }),
      ),
    async () =>
      remember(
        await claims.claim({
          ...identity(),
          owner: random.uuid(),
          lease_ms: random.int(2, 6),
          attempts_max: 3,
        }),
      ),
    () => claims.renew(anyLease().key, anyLease().lease, 4),
    () => claims.complete(anyLease().key, anyLease().lease, outcome),
    () => {
      const { key, lease } = anyLease();
      const next = {
        retry_at_ms: now + random.int(0, 3),
        code: "FLAKY",
        message: "m",
        parked: random.chance(0.5),
      };
      return claims.release(key, lease, next);
    },
    () => claims.completeExhausted(random.pick(exhausted), { ...outcome, verdict: "error" }),
    () => claims.cancel(identity()),
    async () => {
      const task = newTask(key.task_id, now);
      tasks.push((await createTask(task, now + 2, ports)) ?? task);
    },
    async () => {
      const ended = random.chance(0.3) ? { ended_at: instant(now) } : {};
      const moved = await moveTask(
        random.pick(tasks),
        ended,
        random.chance(0.8) ? now + 1 : undefined,
        ports,
      );
      if (moved) tasks.push(moved);
    },
    () => readLedger("acme", key.task_id, ports),
    () => overdueTasks(random.int(8, 24), ports),
    async () => {
      const partition = listOf(random.pick([TASK, STEP, FAILURE]), "by_tenant", {
        list: "open",
        tenant: "acme",
      });
      const page = { limit: random.int(1, 3), filters: {}, read: (item: object) => item };
      const { next_cursor } = await queryPage(partition, page, ports);
      if (next_cursor) await queryPage(partition, { ...page, cursor: next_cursor }, ports);
    },
    () => bury(random, now, ports),
    async () => {
      const amounts = new Map<string, number>();
      for (let index = random.int(1, 4); index > 0; index -= 1) amounts.set(`m${index}`, random.int(1, 9));
      const labels = { service: "s", role: "worker", shard: "0", slot: random.int(0, 3) };
      await addCounts({ ...labels, tenant: "acme", amounts }, now, ports);
      await readTotals("acme", now, ports);
    },
  ];
  return async () => {
    now += random.int(0, 3);
    if (random.chance(0.1)) key = { ...key, task_id: taskId(random.int(1, 30)), round: random.int(0, 1) };
    await Promise.resolve()
      .then(random.pick(operations))
      .catch((error: Error) => {
        if (error.name === "AssertionError") throw error; // a lost lease and the like are answers too
      });
  };
}

function bury(random: Random, now: number, ports: { table: BothTables["table"]; table_name: string }) {
  const failure = {
    message_id: "m",
    tenant: "acme",
    service: "indexing",
    code: "NEVER_WORKS",
    message: "m",
    cause_chain: [],
    fingerprint: "f".repeat(64),
    attempts: 1,
    first_at: instant(now),
    last_at: instant(now),
    function_name: "f",
    request_id: "r",
    policy_hash: "p",
    body: "b",
  };
  const sqs = { send: async () => ({}) } as unknown as SQSClient;
  return deadLetter(failure, `failure-${random.int(0, 9)}`, "b", {
    ...ports,
    sqs,
    dead_letter_queue_url: "dlq",
  });
}

describe("the simulated table", () => {
  it("answers everything the code sends as the emulator does", async () => {
    const step = driver(seededRandom(7));
    for (let count = 0; count < 1500; count += 1) await step();
    const seen = Object.fromEntries(both.compared);
    for (const name of ["Get", "Put", "Update", "Query"])
      expect(seen[`${name}Command answered`]).toBeGreaterThan(50);
    expect(seen["UpdateCommand ConditionalCheckFailedException"]).toBeGreaterThan(100);
    expect(seen["PutCommand ConditionalCheckFailedException"]).toBeGreaterThan(20);
    expect(Object.keys(seen).filter((name) => name.includes("Validation"))).toEqual([]);
  });

  it("judges generated conditions as the emulator does", async () => {
    const random = seededRandom(11);
    const before = both.compared.get("UpdateCommand answered") ?? 0;
    for (let count = 0; count < 600; count += 1) {
      const item = drawItem(random, String(count));
      await both.table.send(new PutCommand({ TableName: "table", Item: item }));
      const { text, values } = drawCondition(random);
      const list = Array.isArray(item.cc) ? "bb, cc[1]" : "bb";
      await both.table
        .send(
          new UpdateCommand({
            TableName: "table",
            Key: { pk: item.pk, sk: item.sk },
            ConditionExpression: text,
            UpdateExpression: `SET #aa = :set, ee = if_not_exists(ee, :set) REMOVE ${list} ADD sum_ :set`,
            ExpressionAttributeNames: { "#aa": "aa" },
            ExpressionAttributeValues: { ...values, ":set": 1 },
            ReturnValues: "ALL_NEW",
          }),
        )
        .catch((error: Error) => {
          if (error.name !== "ConditionalCheckFailedException") throw error;
        });
    }
    expect((both.compared.get("UpdateCommand answered") ?? 0) - before).toBeGreaterThan(100);
  });

  it("refuses what DynamoDB refuses: a sum with an attribute that is not there, unused names", async () => {
    const update = (UpdateExpression: string, names = {}) =>
      new UpdateCommand({
        TableName: "table",
        Key: { pk: "refused", sk: "1" },
        UpdateExpression,
        ExpressionAttributeValues: { ":one": 1 },
        ...names,
      });
    await expect(both.table.send(update("SET aa = aa + :one"))).rejects.toThrow();
    const unused = { ExpressionAttributeNames: { "#unused": "x" } };
    await expect(both.table.send(update("SET aa = :one", unused))).rejects.toThrow();
    await expect(both.table.send(update("SET aa = :one"))).resolves.toBeDefined();
  });
});
