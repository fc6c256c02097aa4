import { QueryCommand } from "@aws-sdk/lib-dynamodb";
import {
  tenantArtifactsPartition,
  tenantFailuresPartition,
  tenantGraphsPartition,
  tenantTasksPartition,
} from "#lib/platform/table/keys.ts";
import { isExpired } from "#lib/platform/table/retention.ts";
import { parseStepItem } from "#lib/resilience/idempotency/step-item.ts";
import { parseTaskItem, type TaskPorts } from "#lib/work/tasks/task-store.ts";
import type { TaskRecord } from "#schemas/records/task.ts";

export interface References {
  /** Keys of objects that a record to be kept names. */
  keys: Set<string>;
  kept_tasks: Set<string>;
  /** Tasks whose time is over, oldest last. */
  expired_tasks: TaskRecord[];
}

/**
 * What a tenant's records refer to, by queries of index `by_tenant`. The index may be a second late;
 * what a record that young refers to is younger than any grace time. Open tasks never expire.
 * `ended_before_ms` shortens the time ended tasks have.
 */
export async function findReferences(
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
  for await (const item of listRecords(tenantTasksPartition(tenant), ports)) {
    const task = parseTaskItem(item);
    if (isOver(task, ended_before_ms, now)) {
      found.expired_tasks.push(task);
    } else {
      found.kept_tasks.add(task.task_id);
      keep(item);
    }
  }
  const expired = new Set(found.expired_tasks.map(({ task_id }) => task_id));
  for await (const item of listRecords(tenantArtifactsPartition(tenant), ports)) {
    const step = parseStepItem(item);
    const open = found.kept_tasks.has(step.task_id);
    if (open || !(expired.has(step.task_id) || isExpired(step, now))) keep(item);
  }
  for (const partition of [tenantFailuresPartition(tenant), tenantGraphsPartition(tenant)]) {
    for await (const item of listRecords(partition, ports)) keep(item);
  }
  return found;
}

function isOver(task: TaskRecord, ended_before_ms: number | undefined, now: number): boolean {
  if (!task.sealed_at || !task.ended_at) return false;
  return (
    isExpired(task, now) || (ended_before_ms !== undefined && Date.parse(task.ended_at) < ended_before_ms)
  );
}

async function* listRecords(
  partition: string,
  { table, table_name }: Pick<TaskPorts, "table" | "table_name">,
): AsyncGenerator<Record<string, unknown>> {
  let ExclusiveStartKey: Record<string, unknown> | undefined;
  do {
    const page = await table.send(
      new QueryCommand({
        TableName: table_name,
        IndexName: "by_tenant",
        KeyConditionExpression: "gsi1pk = :partition",
        ExpressionAttributeValues: { ":partition": partition },
        ScanIndexForward: false,
        ExclusiveStartKey,
      }),
    );
    yield* page.Items ?? [];
    ExclusiveStartKey = page.LastEvaluatedKey;
  } while (ExclusiveStartKey);
}
