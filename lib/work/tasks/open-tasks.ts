import { QueryCommand } from "@aws-sdk/lib-dynamodb";
import type { Log } from "#lib/platform/log/log.ts";
import { instant } from "#lib/platform/runtime/runtime.ts";
import { OPEN_PARTITIONS } from "#lib/platform/table/keys.ts";
import { parseTaskItem, type TaskPorts } from "#lib/work/tasks/task-store.ts";
import type { TaskRecord } from "#schemas/records/task.ts";

/** Open tasks whose time to be looked at has come, longest overdue first in each partition. */
export async function overdueTasks(
  limit: number,
  { table, table_name, runtime, log }: TaskPorts & { log: Log },
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
  return pages.flatMap((page) => page.Items ?? []).flatMap((item) => readable(item, log));
}

/** One task that cannot be read must not keep the others from being swept. */
function readable(item: Record<string, unknown>, log: Log): TaskRecord[] {
  try {
    return [parseTaskItem(item)];
  } catch (error) {
    log.error(
      "TASK_UNREADABLE",
      `the record of ${item.pk} cannot be read and is not swept: ${String(error)}`,
    );
    return [];
  }
}
