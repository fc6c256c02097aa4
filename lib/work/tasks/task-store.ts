import { isDeepStrictEqual } from "node:util";
import { ConditionalCheckFailedException } from "@aws-sdk/client-dynamodb";
import { type DynamoDBDocumentClient, GetCommand, PutCommand, QueryCommand } from "@aws-sdk/lib-dynamodb";
import { instant, type Runtime } from "#lib/platform/runtime/runtime.ts";
import {
  openTasksPartition,
  TASK_SORT_KEY,
  taskPartition,
  tenantTasksPartition,
} from "#lib/platform/table/keys.ts";
import { isExpired } from "#lib/platform/table/retention.ts";
import { parseStepItem } from "#lib/resilience/idempotency/step-item.ts";
import type { StepRecord } from "#schemas/records/step.ts";
import { TaskRecord } from "#schemas/records/task.ts";

/** A task with its steps, as one query read them: steps in the order they were first claimed. */
export interface Ledger {
  task: TaskRecord;
  steps: StepRecord[];
}

export interface TaskPorts {
  table: DynamoDBDocumentClient;
  table_name: string;
  runtime: Runtime;
}

type Item = Record<string, unknown>;

/** A task item of the table as a record, without its keys. */
export function parseTaskItem(item: Item): TaskRecord {
  const { pk: _pk, sk: _sk, gsi1pk: _1, gsi1sk: _2, gsi2pk: _3, gsi2sk: _4, ...record } = item;
  return TaskRecord.parse(record);
}

/** An open task is in index `open_tasks` under the time it is to be looked at next; an ended one is not. */
function taskItem(task: TaskRecord, next_check_ms: number | undefined): Item {
  return {
    pk: taskPartition(task.tenant, task.task_id),
    sk: TASK_SORT_KEY,
    gsi1pk: tenantTasksPartition(task.tenant),
    gsi1sk: `${task.created_at}#${task.task_id}`,
    ...(next_check_ms !== undefined && {
      gsi2pk: openTasksPartition(task.task_id),
      gsi2sk: instant(next_check_ms),
    }),
    ...task,
  };
}

/**
 * Writes a new task. Returns the one that stands there already when its id was taken. A write of
 * ours that took, lost its answer and was sent twice by the SDK counts as written.
 */
export async function createTask(
  task: TaskRecord,
  next_check_ms: number,
  ports: TaskPorts,
): Promise<TaskRecord | undefined> {
  const { table, table_name } = ports;
  try {
    await table.send(
      new PutCommand({
        TableName: table_name,
        Item: taskItem(task, next_check_ms),
        ConditionExpression: "attribute_not_exists(pk)",
      }),
    );
    return undefined;
  } catch (error) {
    if (!(error instanceof ConditionalCheckFailedException)) throw error;
    const existing = await readTask(task.tenant, task.task_id, ports);
    return isDeepStrictEqual(existing, task) ? undefined : existing;
  }
}

/**
 * Replaces a task on condition that nobody wrote it since `task` was read. Returns it with its new
 * version, or undefined when somebody did. `next_check_ms` undefined takes it from the open ones.
 * Only a sealed task expires.
 * When the write is refused, reading again tells another's write from our own, sent twice by the
 * SDK because its first answer was lost: taken for another's, what was to follow it would not be sent.
 */
export async function moveTask(
  task: TaskRecord,
  changes: Partial<TaskRecord>,
  next_check_ms: number | undefined,
  ports: TaskPorts,
): Promise<TaskRecord | undefined> {
  const { table, table_name, runtime } = ports;
  const updated_at = instant(runtime.now());
  const { expires_at, ...moved } = { ...task, ...changes, version: task.version + 1, updated_at };
  const next = TaskRecord.parse(
    moved.sealed_at && expires_at !== undefined ? { ...moved, expires_at } : moved,
  );
  try {
    await table.send(
      new PutCommand({
        TableName: table_name,
        Item: taskItem(next, next_check_ms),
        ConditionExpression: "version = :version",
        ExpressionAttributeValues: { ":version": task.version },
      }),
    );
    return next;
  } catch (error) {
    if (!(error instanceof ConditionalCheckFailedException)) throw error;
    const found = await readTask(task.tenant, task.task_id, ports);
    return isDeepStrictEqual(found, next) ? next : undefined;
  }
}

/** A task without its steps; undefined when there is none. */
export async function readTask(
  tenant: string,
  task_id: string,
  { table, table_name }: TaskPorts,
): Promise<TaskRecord | undefined> {
  const Key = { pk: taskPartition(tenant, task_id), sk: TASK_SORT_KEY };
  const found = await table.send(new GetCommand({ TableName: table_name, Key, ConsistentRead: true }));
  return found.Item && parseTaskItem(found.Item);
}

/**
 * The whole ledger of a task by one strongly consistent query; undefined when there is no such task
 * or its time is over.
 * A query is no snapshot: it reads the task before its steps (backwards, for `TASK` sorts last), so
 * the steps are at least as new as the task, and a write on the task's version proves the rest.
 */
export async function readLedger(
  tenant: string,
  task_id: string,
  ports: TaskPorts,
): Promise<Ledger | undefined> {
  const items: Item[] = [];
  let ExclusiveStartKey: Item | undefined;
  do {
    const page = await ports.table.send(
      new QueryCommand({
        TableName: ports.table_name,
        KeyConditionExpression: "pk = :pk",
        ExpressionAttributeValues: { ":pk": taskPartition(tenant, task_id) },
        ConsistentRead: true,
        ScanIndexForward: false,
        ExclusiveStartKey,
      }),
    );
    items.push(...(page.Items ?? []));
    ExclusiveStartKey = page.LastEvaluatedKey;
  } while (ExclusiveStartKey);
  const now = ports.runtime.now();
  const task = items.find((item) => item.sk === TASK_SORT_KEY);
  const steps = items
    .filter((item) => String(item.sk).startsWith("STEP#"))
    .map(parseStepItem)
    .filter((step) => !isExpired(step, now));
  const record = task && parseTaskItem(task);
  return record && !isExpired(record, now) ? { task: record, steps: steps.sort(byStart) } : undefined;
}

/** As they were first claimed; whatever order they were read in, the same order comes out. */
function byStart(a: StepRecord, b: StepRecord): number {
  return a.started_at.localeCompare(b.started_at) || a.round - b.round || a.step.localeCompare(b.step);
}
