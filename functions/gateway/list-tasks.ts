import { tenantTasksPartition } from "#lib/tasks/keys.ts";
import { queryPage } from "#lib/tasks/query-page.ts";
import { parseTaskItem } from "#lib/tasks/task-store.ts";
import { taskSummary } from "#lib/tasks/task-view.ts";
import type { TaskList } from "#schemas/http/task-view.ts";
import type { GatewayPorts } from "./ports.ts";

export interface Paging {
  limit: number;
  cursor?: string | undefined;
}

/** A tenant's tasks, newest first. */
export async function listTasks(tenant: string, paging: Paging, ports: GatewayPorts): Promise<TaskList> {
  const { items, next_cursor } = await queryPage(tenantTasksPartition(tenant), paging, ports);
  const tasks = items
    .map(parseTaskItem)
    .map((task) => ({ ...taskSummary(task), revision: String(task.version) }));
  return { tasks, next_cursor };
}
