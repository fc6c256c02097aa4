import { artifactKey, tenantPrefix } from "#lib/platform/blobs/object-keys.ts";
import { FAILURE, GRAPH_POINTER, STEP, TASK } from "#lib/platform/table/items.ts";
import {
  type Item,
  isOfKind,
  keyOf,
  keyOfItem,
  listOf,
  type Partition,
  partitionOf,
} from "#lib/platform/table/keys.ts";
import { deleteIf, deleteItem, getItem } from "#lib/platform/table/operations.ts";
import { queryPages } from "#lib/platform/table/queries.ts";
import { isExpired, keptUntilMs } from "#lib/platform/table/retention.ts";
import { parseStepItem } from "#lib/resilience/idempotency/step-item.ts";
import { moveTask, parseTaskItem, type TaskPorts } from "#lib/work/tasks/task-store.ts";
import type { ArtifactsConfig } from "#schemas/config/artifacts.ts";
import type { TaskRecord } from "#schemas/records/task.ts";
import {
  type BucketPorts,
  deleteObject,
  deleteUnlessRewritten,
  listObjects,
  listTenants,
  type StoredObject,
} from "./stored-objects.ts";

export interface CleanPorts extends TaskPorts, BucketPorts {
  retention: ArtifactsConfig;
  /** Told what was found or deleted, one sentence at a time; `transient` sentences report progress only. */
  tell(sentence: string, transient: boolean): void;
}

export interface CleanRequest {
  /** Only this tenant; otherwise all that have anything in the bucket. */
  tenant?: string | undefined;
  /** Deletes ended tasks after this time already, in ms. */
  older_than_ms?: number | undefined;
  /** Reports, and changes nothing. */
  dry_run: boolean;
}

interface Size {
  objects: number;
  bytes: number;
}

export interface Cleaned extends Size {
  tenants: number;
  tasks: number;
}

/** What the records of a tenant refer to. */
interface References {
  /** Keys of objects that a record to be kept names. */
  keys: Set<string>;
  kept_tasks: Set<string>;
  /** Tasks whose time is over, oldest last. */
  expired_tasks: TaskRecord[];
}

const PARALLEL_MAX = 8;
const FOLDERS = new Set(["blobs", "graph", "tasks", "uploads"]);

/**
 * Deletes what is past its time: ended tasks, and blobs, uploads and graph snapshots that no record
 * refers to. Open tasks, current snapshots and what they refer to are never touched. Safe to repeat
 * and to kill at any point. Reads the table by queries of one tenant, never by a scan.
 */
export async function clean(request: CleanRequest, ports: CleanPorts): Promise<Cleaned> {
  const sum: Cleaned = { tenants: 0, tasks: 0, objects: 0, bytes: 0 };
  if (request.tenant !== undefined) {
    await cleanTenant(request.tenant, request, sum, ports);
    return sum;
  }
  for await (const tenant of listTenants(ports)) await cleanTenant(tenant, request, sum, ports);
  return sum;
}

async function cleanTenant(
  tenant: string,
  { older_than_ms, dry_run }: CleanRequest,
  sum: Cleaned,
  ports: CleanPorts,
): Promise<void> {
  ports.tell(`${tenant}: reading its records`, true);
  const ended_before_ms = older_than_ms === undefined ? undefined : ports.runtime.now() - older_than_ms;
  const references = await findReferences(tenant, ended_before_ms, ports);
  sum.tenants += 1;
  for (const [index, task] of references.expired_tasks.entries()) {
    ports.tell(`${tenant}: task ${index + 1} of ${references.expired_tasks.length}`, true);
    const size = dry_run ? await taskSize(task, ports) : await deleteTask(task, ports);
    if (!size) continue;
    sum.tasks += 1;
    add(sum, size);
    ports.tell(`${tenant}: task ${task.task_id}, ended ${task.ended_at}: ${size.objects} objects`, false);
  }
  add(sum, await cleanObjects(tenant, references, dry_run, ports));
}

function add(sum: Size, { objects, bytes }: Size): void {
  sum.objects += objects;
  sum.bytes += bytes;
}

/**
 * What a tenant's records refer to, by queries of index `by_tenant`. The index may be a second late;
 * what a record that young refers to is younger than any grace time. Open tasks never expire.
 * `ended_before_ms` shortens the time ended tasks have.
 */
async function findReferences(
  tenant: string,
  ended_before_ms: number | undefined,
  ports: TaskPorts,
): Promise<References> {
  const now = ports.runtime.now();
  const found: References = { keys: new Set(), kept_tasks: new Set(), expired_tasks: [] };
  const names = new RegExp(`tenants/${tenant}/(?:blobs|graph|uploads)/[0-9a-z.]+`, "g");
  const keep = (item: object) => {
    for (const [key] of JSON.stringify(item).matchAll(names)) found.keys.add(key);
  };
  for await (const item of itemsOf(listOf(TASK, "by_tenant", { tenant }), ports)) {
    const task = parseTaskItem(item);
    if (isOver(task, ended_before_ms, now)) {
      found.expired_tasks.push(task);
    } else {
      found.kept_tasks.add(task.task_id);
      keep(item);
    }
  }
  const expired = new Set(found.expired_tasks.map(({ task_id }) => task_id));
  for await (const item of itemsOf(listOf(STEP, "by_tenant", { tenant }), ports)) {
    const step = parseStepItem(item);
    const open = found.kept_tasks.has(step.task_id);
    if (open || !(expired.has(step.task_id) || isExpired(step, now))) keep(item);
  }
  const failures = ["open", "settled"].map((list) => listOf(FAILURE, "by_tenant", { list, tenant }));
  for (const list of [...failures, listOf(GRAPH_POINTER, "by_tenant", { tenant })]) {
    for await (const item of itemsOf(list, ports)) keep(item);
  }
  return found;
}

function isOver(task: TaskRecord, ended_before_ms: number | undefined, now: number): boolean {
  if (!task.sealed_at || !task.ended_at) return false;
  return (
    isExpired(task, now) || (ended_before_ms !== undefined && Date.parse(task.ended_at) < ended_before_ms)
  );
}

async function* itemsOf(list: Partition, ports: TaskPorts): AsyncGenerator<Item> {
  for await (const { items } of queryPages(list, { backwards: true }, ports)) yield* items;
}

/** Objects and bytes of a task in the standard layout. */
async function taskSize({ tenant, task_id }: TaskRecord, ports: BucketPorts): Promise<Size> {
  const size = { objects: 0, bytes: 0 };
  for await (const page of listObjects(artifactKey(tenant, task_id, ""), ports)) add(size, sizeOf(page));
  return size;
}

function sizeOf(objects: StoredObject[]): Size {
  return { objects: objects.length, bytes: objects.reduce((sum, { bytes }) => sum + bytes, 0) };
}

/**
 * Deletes an ended task: first it is marked as expired, from when on it counts as absent and cannot
 * be reopened; then its steps, and with them its entries in the artifact index; then its objects; its
 * record last. Whoever is killed in between leaves a marked task for the next run. Undefined when
 * somebody moved the task meanwhile: then nothing was deleted.
 */
async function deleteTask(task: TaskRecord, ports: CleanPorts): Promise<Size | undefined> {
  const now = ports.runtime.now();
  const mark = { expires_at: Math.floor(now / 1000) };
  const marked = isExpired(task, now) ? task : await moveTask(task, mark, undefined, ports);
  if (!marked) return undefined;
  const beside = { consistent: true, attributes: ["pk", "sk"] };
  for await (const { items } of queryPages(partitionOf(TASK, task), beside, ports)) {
    for (const item of items) if (!isOfKind(TASK, item)) await deleteItem(keyOfItem(item), ports);
  }
  const size = { objects: 0, bytes: 0 };
  for await (const page of listObjects(artifactKey(task.tenant, task.task_id, ""), ports)) {
    add(size, sizeOf(page));
    const left = [...page];
    while (left.length > 0) {
      await Promise.all(left.splice(0, PARALLEL_MAX).map(({ key }) => deleteObject(key, ports)));
    }
  }
  // Refused when DynamoDB's own expiry, or another run, was first.
  const unchanged = { condition: "version = :version", values: { version: marked.version } };
  await deleteIf(keyOf(TASK, task), unchanged, ports);
  return size;
}

/**
 * Deletes a tenant's objects that nothing refers to and whose time is over: blobs of fenced workers
 * and abandoned attempts, graph snapshots that were replaced, uploads, and what a task whose record
 * is gone left in the standard layout.
 */
async function cleanObjects(
  tenant: string,
  references: References,
  dry_run: boolean,
  ports: CleanPorts,
): Promise<Size> {
  const { orphans_days, uploads_days } = ports.retention;
  const now = ports.runtime.now();
  const gone = { objects: 0, bytes: 0 };
  const hasRecord = taskFinder(tenant, references, ports);
  let seen = 0;
  for await (const page of listObjects(tenantPrefix(tenant), ports)) {
    const orphans: StoredObject[] = [];
    for (const object of page) {
      const [folder = "", name = ""] = object.key.slice(tenantPrefix(tenant).length).split("/");
      if (!FOLDERS.has(folder)) continue;
      const days = folder === "uploads" ? uploads_days : orphans_days;
      if (keptUntilMs(object.written_ms, days) >= now || references.keys.has(object.key)) continue;
      if (folder === "tasks" && (await hasRecord(name))) continue;
      orphans.push(object);
    }
    while (orphans.length > 0) {
      const batch = orphans.splice(0, PARALLEL_MAX);
      await Promise.all(
        batch.map(async (object) => {
          if (!dry_run && !(await deleteUnlessRewritten(object, ports))) return;
          add(gone, sizeOf([object]));
          ports.tell(`${object.key}, ${object.bytes} bytes, nothing refers to it`, false);
        }),
      );
    }
    seen += page.length;
    ports.tell(`${tenant}: ${seen} objects looked at`, true);
  }
  return gone;
}

/** Whether a task has a record: one that the references name, or one that the index did not list yet. */
function taskFinder(tenant: string, { kept_tasks, expired_tasks }: References, ports: CleanPorts) {
  const known = new Map<string, boolean>();
  for (const task_id of kept_tasks) known.set(task_id, true);
  for (const { task_id } of expired_tasks) known.set(task_id, true); // counted with their task
  return async (task_id: string): Promise<boolean> => {
    const before = known.get(task_id);
    if (before !== undefined) return before;
    const found = await getItem(keyOf(TASK, { tenant, task_id }), ports, { attributes: ["pk"] });
    known.set(task_id, found !== undefined);
    return found !== undefined;
  };
}
