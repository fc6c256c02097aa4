import { TASK } from "#lib/platform/table/items.ts";
import { listOf } from "#lib/platform/table/keys.ts";
import { queryPage } from "#lib/platform/table/query-page.ts";
import { isExpired } from "#lib/platform/table/retention.ts";
import { parseTaskItem } from "#lib/work/tasks/task-store.ts";
import { taskSummary } from "#lib/work/views/task-view.ts";
import type { TaskList } from "#schemas/http/task-view.ts";
import type { GatewayPorts } from "./ports.ts";
import type { ListQuery } from "./queries.ts";

/** A tenant's tasks by when they were accepted, newest first; `status` as the list shows it. */
export async function listTasks(
  tenant: string,
  { status, ...paging }: ListQuery,
  ports: Pick<GatewayPorts, "table" | "table_name" | "runtime">,
): Promise<TaskList> {
  const now = ports.runtime.now();
  const read = (item: Record<string, unknown>) => {
    const task = parseTaskItem(item);
    const summary = { ...taskSummary(task), revision: String(task.version) };
    return isExpired(task, now) || (status && summary.status !== status) ? undefined : summary;
  };
  const list = listOf(TASK, "by_tenant", { tenant });
  const page = await queryPage(list, { ...paging, filters: { status }, read }, ports);
  return { tasks: page.rows, next_cursor: page.next_cursor };
}
