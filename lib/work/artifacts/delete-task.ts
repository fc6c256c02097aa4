import { ConditionalCheckFailedException } from "@aws-sdk/client-dynamodb";
import { DeleteCommand, QueryCommand } from "@aws-sdk/lib-dynamodb";
import { artifactKey } from "#lib/platform/blobs/object-keys.ts";
import { TASK_SORT_KEY, taskPartition } from "#lib/platform/table/keys.ts";
import { isExpired } from "#lib/platform/table/retention.ts";
import { type BucketPorts, deleteObject, listObjects } from "#lib/work/artifacts/stored-objects.ts";
import { moveTask, type TaskPorts } from "#lib/work/tasks/task-store.ts";
import type { TaskRecord } from "#schemas/records/task.ts";

type Ports = TaskPorts & BucketPorts;
interface Size {
  objects: number;
  bytes: number;
}

const PARALLEL_MAX = 8;

/** Objects and bytes of a task in the standard layout. */
export async function taskSize({ tenant, task_id }: TaskRecord, ports: BucketPorts): Promise<Size> {
  const size = { objects: 0, bytes: 0 };
  for await (const page of listObjects(artifactKey(tenant, task_id, ""), ports)) {
    size.objects += page.length;
    for (const { bytes } of page) size.bytes += bytes;
  }
  return size;
}

/**
 * Deletes an ended task: first it is marked as expired, from when on it counts as absent and cannot
 * be opened again; then its steps, and with them its entries in the artifact index; then its
 * objects; its record last. Whoever is killed in between leaves a marked task for the next one.
 * Undefined when somebody moved the task meanwhile: then nothing was deleted.
 */
export async function deleteTask(task: TaskRecord, ports: Ports): Promise<Size | undefined> {
  const now = ports.runtime.now();
  const mark = { expires_at: Math.floor(now / 1000) };
  const marked = isExpired(task, now) ? task : await moveTask(task, mark, undefined, ports);
  if (!marked) return undefined;
  const pk = taskPartition(task.tenant, task.task_id);
  for await (const sk of sortKeys(pk, ports)) {
    if (sk === TASK_SORT_KEY) continue;
    await ports.table.send(new DeleteCommand({ TableName: ports.table_name, Key: { pk, sk } }));
  }
  const size = { objects: 0, bytes: 0 };
  for await (const page of listObjects(artifactKey(task.tenant, task.task_id, ""), ports)) {
    const left = [...page];
    while (left.length > 0) {
      await Promise.all(left.splice(0, PARALLEL_MAX).map(({ key }) => deleteObject(key, ports)));
    }
    size.objects += page.length;
    for (const { bytes } of page) size.bytes += bytes;
  }
  await deleteRecord(pk, marked, ports);
  return size;
}

async function* sortKeys(pk: string, { table, table_name }: TaskPorts): AsyncGenerator<string> {
  let ExclusiveStartKey: Record<string, unknown> | undefined;
  do {
    const page = await table.send(
      new QueryCommand({
        TableName: table_name,
        KeyConditionExpression: "pk = :pk",
        ExpressionAttributeValues: { ":pk": pk },
        ProjectionExpression: "sk",
        ConsistentRead: true,
        ExclusiveStartKey,
      }),
    );
    for (const { sk } of page.Items ?? []) yield String(sk);
    ExclusiveStartKey = page.LastEvaluatedKey;
  } while (ExclusiveStartKey);
}

async function deleteRecord(pk: string, { version }: TaskRecord, { table, table_name }: TaskPorts) {
  try {
    await table.send(
      new DeleteCommand({
        TableName: table_name,
        Key: { pk, sk: TASK_SORT_KEY },
        ConditionExpression: "version = :version",
        ExpressionAttributeValues: { ":version": version },
      }),
    );
  } catch (error) {
    // DynamoDB's own expiry, or another clean-up, was first.
    if (!(error instanceof ConditionalCheckFailedException)) throw error;
  }
}
