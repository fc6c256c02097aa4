import type { Log } from "#lib/platform/log/log.ts";
import { instant, type Runtime } from "#lib/platform/runtime/runtime.ts";
import { STEP, TASK } from "#lib/platform/table/items.ts";
import {
  type Item,
  isOfKind,
  keyOf,
  keyOfItem,
  listingOf,
  openShard,
  partitionOf,
} from "#lib/platform/table/keys.ts";
import { getItem, NEW, type NewItem, putIfOurs, type TablePorts } from "#lib/platform/table/operations.ts";
import { queryAll, queryOverdue } from "#lib/platform/table/queries.ts";
import { readRecord } from "#lib/platform/table/read-record.ts";
import { isExpired } from "#lib/platform/table/retention.ts";
import { loadSpans } from "#lib/platform/trace/span-cargo.ts";
import type { TraceContext } from "#lib/platform/trace/traceparent.ts";
import { parseStepItem } from "#lib/resilience/idempotency/step-item.ts";
import type { StepRecord } from "#schemas/records/step.ts";
import { type Reopening, TaskRecord } from "#schemas/records/task.ts";

/** A task with its steps, as one query read them: steps in the order they were first claimed. */
export interface Ledger {
  task: TaskRecord;
  steps: StepRecord[];
}

export interface TaskPorts extends TablePorts {
  runtime: Runtime;
}

/** A task item of the table as a record, without its keys. Throws ParkedFault `RECORD_NEWER`. */
export function parseTaskItem(item: Item): TaskRecord {
  return readRecord(TaskRecord, item);
}

/** An open task is in index `open_tasks` under the time it is to be looked at next; an ended one is not. */
function taskItem(task: TaskRecord, next_check_ms: number | undefined): NewItem {
  return {
    ...keyOf(TASK, task),
    ...listingOf(TASK, "by_tenant", task),
    ...(next_check_ms !== undefined &&
      listingOf(TASK, "open_tasks", { shard: openShard(task.task_id), check_at: instant(next_check_ms) })),
    ...task,
  };
}

/** Writes a new task, with the spans of `trace`. Returns the one that stands there already when its id was taken. */
export async function createTask(
  task: TaskRecord,
  next_check_ms: number,
  ports: TaskPorts,
  trace?: TraceContext,
): Promise<TaskRecord | undefined> {
  const cargo = loadSpans(trace);
  const spans = cargo && { spans: cargo.carried };
  const put = await putIfOurs(taskItem({ ...task, ...spans }, next_check_ms), NEW, ports);
  if (put.written) {
    cargo?.delivered();
    return undefined;
  }
  // Without one the task that had the id expired in between, so the id is free.
  return put.found ? parseTaskItem(put.found) : createTask(task, next_check_ms, ports, trace);
}

/**
 * Replaces a task on condition that nobody wrote it since `task` was read. Returns it with its new
 * version, or undefined when somebody did. `next_check_ms` undefined takes it from the open ones.
 * Only a sealed task expires. The write carries the spans of `trace`.
 */
export async function moveTask(
  task: TaskRecord,
  changes: Partial<TaskRecord>,
  next_check_ms: number | undefined,
  ports: TaskPorts,
  trace?: TraceContext,
): Promise<TaskRecord | undefined> {
  const updated_at = instant(ports.runtime.now());
  const cargo = loadSpans(trace, task.spans);
  const spans = cargo && { spans: cargo.carried };
  const { expires_at, ...moved } = { ...task, ...changes, ...spans, version: task.version + 1, updated_at };
  const next = TaskRecord.parse(
    moved.sealed_at && expires_at !== undefined ? { ...moved, expires_at } : moved,
  );
  const unchanged = { condition: "version = :version", values: { version: task.version } };
  const { written } = await putIfOurs(taskItem(next, next_check_ms), unchanged, ports);
  if (!written) return undefined;
  cargo?.delivered();
  return next;
}

/** A task without its steps; undefined when there is none. */
export async function readTask(
  tenant: string,
  task_id: string,
  ports: TaskPorts,
): Promise<TaskRecord | undefined> {
  const found = await getItem(keyOf(TASK, { tenant, task_id }), ports);
  return found && parseTaskItem(found);
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
  const ledger = partitionOf(TASK, { tenant, task_id });
  const items = await queryAll(ledger, { consistent: true, backwards: true }, ports);
  const now = ports.runtime.now();
  const task = items.find((item) => isOfKind(TASK, item));
  const steps = items
    .filter((item) => isOfKind(STEP, item))
    .map(parseStepItem)
    .filter((step) => !isExpired(step, now));
  const record = task && parseTaskItem(task);
  return record && !isExpired(record, now) ? { task: record, steps: steps.sort(byStart) } : undefined;
}

/** As they were first claimed; whatever order they were read in, the same order comes out. */
function byStart(a: StepRecord, b: StepRecord): number {
  return a.started_at.localeCompare(b.started_at) || a.round - b.round || a.step.localeCompare(b.step);
}

/** Open tasks whose time to be looked at has come, longest overdue first in each partition of the index. */
export async function overdueTasks(limit: number, ports: TaskPorts & { log: Log }): Promise<TaskRecord[]> {
  const listed = await queryOverdue(TASK, instant(ports.runtime.now()), limit, ports);
  const tasks = await Promise.all(listed.map((item) => readListed(item, ports)));
  // The index follows later: a task that it still lists may have been sealed.
  return tasks.flatMap((task) => (task && task.sealed_at === undefined ? [task] : []));
}

/** One task that cannot be read must not keep the others from being swept. */
async function readListed(item: Item, ports: TaskPorts & { log: Log }): Promise<TaskRecord | undefined> {
  try {
    const found = await getItem(keyOfItem(item), ports);
    return found && parseTaskItem(found);
  } catch (error) {
    const sentence = `the record of ${item.pk} cannot be read and is not swept: ${String(error)}`;
    ports.log.error("TASK_UNREADABLE", sentence);
    return undefined;
  }
}

/** Whether the task took up work again for this replay of the step. */
export function isReopened(task: TaskRecord, { step, round, replay_count }: Omit<Reopening, "at">): boolean {
  return (task.reopenings ?? []).some(
    (one) => one.step === step && one.round === round && one.replay_count === replay_count,
  );
}

/** A reopened task's deadline (Unix ms): as much time again as it was given at first. */
export function deadlineAgain(
  { deadline_at, created_at, reopenings = [] }: TaskRecord,
  now_ms: number,
): number {
  return now_ms + Date.parse(deadline_at) - Date.parse(reopenings.at(-1)?.at ?? created_at);
}

/**
 * Puts a task back to work at a step that was re-armed: open, at that step, with a new deadline, and
 * due for the sweeper after `check_ms`. Undefined when somebody moved it first.
 */
export async function reopenTask(
  task: TaskRecord,
  place: Omit<Reopening, "at">,
  check_ms: number,
  ports: TaskPorts,
): Promise<TaskRecord | undefined> {
  const now_ms = ports.runtime.now();
  const at = instant(now_ms);
  const deadline_ms = deadlineAgain(task, now_ms);
  const { ended_at: _0, sealed_at: _1, verdict: _2, error: _3, ...lasting } = task;
  return moveTask(
    lasting,
    {
      status: "running",
      deadline_at: instant(deadline_ms),
      reopenings: [...(task.reopenings ?? []), { at, ...place }],
      current: { step: place.step, round: place.round, dispatched_at: at, dispatch_count: 1 },
    },
    Math.min(now_ms + check_ms, deadline_ms),
    ports,
  );
}
