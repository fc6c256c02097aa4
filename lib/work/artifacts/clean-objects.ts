import { GetCommand } from "@aws-sdk/lib-dynamodb";
import { tenantPrefix } from "#lib/platform/blobs/object-keys.ts";
import { TASK_SORT_KEY, taskPartition } from "#lib/platform/table/keys.ts";
import { keptUntilMs } from "#lib/platform/table/retention.ts";
import type { CleanPorts } from "#lib/work/artifacts/clean.ts";
import type { References } from "#lib/work/artifacts/find-references.ts";
import { deleteUnlessRewritten, listObjects, type StoredObject } from "#lib/work/artifacts/stored-objects.ts";

const PARALLEL_MAX = 8;
const FOLDERS = new Set(["blobs", "graph", "tasks", "uploads"]);

/**
 * Deletes a tenant's objects that nothing refers to and whose time is over: blobs of fenced workers
 * and given-up attempts, graph snapshots that were replaced, uploads, and what a task whose record
 * is gone left in the standard layout.
 */
export async function cleanObjects(
  tenant: string,
  references: References,
  dry_run: boolean,
  ports: CleanPorts,
): Promise<{ objects: number; bytes: number }> {
  const { orphans_days, uploads_days } = ports.retention;
  const now = ports.runtime.now();
  const gone = { objects: 0, bytes: 0 };
  const isKnownTask = taskFinder(tenant, references, ports);
  let seen = 0;
  for await (const page of listObjects(tenantPrefix(tenant), ports)) {
    const orphans: StoredObject[] = [];
    for (const object of page) {
      const [folder = "", name = ""] = object.key.slice(tenantPrefix(tenant).length).split("/");
      if (!FOLDERS.has(folder)) continue;
      const days = folder === "uploads" ? uploads_days : orphans_days;
      if (keptUntilMs(object.written_ms, days) >= now || references.keys.has(object.key)) continue;
      if (folder === "tasks" && (await isKnownTask(name))) continue;
      orphans.push(object);
    }
    while (orphans.length > 0) {
      const batch = orphans.splice(0, PARALLEL_MAX);
      await Promise.all(
        batch.map(async (object) => {
          if (!dry_run && !(await deleteUnlessRewritten(object, ports))) return;
          gone.objects += 1;
          gone.bytes += object.bytes;
          ports.tell(`${object.key}, ${object.bytes} bytes, nothing refers to it`, false);
        }),
      );
    }
    seen += page.length;
    ports.tell(`${tenant}: ${seen} objects looked at`, true);
  }
  return gone;
}

/** Whether a task has a record: one the references name, or one that the index did not list yet. */
function taskFinder(tenant: string, { kept_tasks, expired_tasks }: References, ports: CleanPorts) {
  const known = new Map<string, boolean>();
  for (const task_id of kept_tasks) known.set(task_id, true);
  for (const { task_id } of expired_tasks) known.set(task_id, true); // counted with their task
  return async (task_id: string): Promise<boolean> => {
    const before = known.get(task_id);
    if (before !== undefined) return before;
    const found = await ports.table.send(
      new GetCommand({
        TableName: ports.table_name,
        Key: { pk: taskPartition(tenant, task_id), sk: TASK_SORT_KEY },
        ProjectionExpression: "pk",
        ConsistentRead: true,
      }),
    );
    known.set(task_id, found.Item !== undefined);
    return found.Item !== undefined;
  };
}
