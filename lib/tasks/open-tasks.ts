import { QueryCommand } from "@aws-sdk/lib-dynamodb";
import { instant } from "#lib/runtime/runtime.ts";
import { OPEN_PARTITIONS } from "#lib/tasks/keys.ts";
import { parseTaskItem, type TaskPorts } from "#lib/tasks/task-store.ts";
import type { TaskRecord } from "#schemas/records/task.ts";

/** Open tasks whose time to be looked at has come, longest overdue first in each partition. */
export async function overdueTasks(
  limit: number,
  { table, table_name, runtime }: TaskPorts,
): Promise<TaskRecord[]> {
  const now = instant(runtime.now());
  const partitions = Array.from({ length: OPEN_PARTITIONS }, (_, index) => `OPEN#${index}`);
  const pages = await Promise.all(
    partitions.map((partition) =>
      table.send(
        new QueryCommand({
          TableName: table_name,
          IndexName: "open_tasks",
          KeyConditionExpression: "gsi2pk = :partition AND gsi2sk <= :now",
          ExpressionAttributeValues: { ":partition": partition, ":now": now },
          Limit: Math.ceil(limit / OPEN_PARTITIONS),
        }),
      ),
    ),
  );
  return pages.flatMap((page) => page.Items ?? []).map(parseTaskItem);
}
