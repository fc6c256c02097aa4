import { HttpError } from "#lib/platform/errors/http-error.ts";
import { TASK } from "#lib/platform/table/items.ts";
import { listOf } from "#lib/platform/table/keys.ts";
import { queryPage } from "#lib/platform/table/query-page.ts";
import { isExpired } from "#lib/platform/table/retention.ts";
import { readTaskSpans } from "#lib/platform/trace/task-spans.ts";
import { traceView } from "#lib/platform/trace/trace-tree.ts";
import {
  type Ledger,
  parseTaskItem,
  readLedger,
  readTask as readTaskRecord,
} from "#lib/work/tasks/task-store.ts";
import { taskSummary, taskView } from "#lib/work/views/task-view.ts";
import type { TaskList, TaskView } from "#schemas/http/task-view.ts";
import type { TraceView } from "#schemas/http/trace-view.ts";
import { TaskId } from "#schemas/primitives.ts";
import type { GatewayPorts } from "./ports.ts";
import type { ListQuery } from "./queries.ts";

const POLL_MS = 250;

/** Reads the ledger of a tenant's task. Throws HttpError 404 `TASK_NOT_FOUND`, also for another tenant's task. */
export async function findTask(
  tenant: string,
  task_id: string,
  ports: Pick<GatewayPorts, "table" | "table_name" | "runtime">,
): Promise<Ledger> {
  const ledger = TaskId.safeParse(task_id).success ? await readLedger(tenant, task_id, ports) : undefined;
  if (!ledger) throw new HttpError(404, "TASK_NOT_FOUND", `there is no task ${task_id}`);
  return ledger;
}

interface Wait {
  wait_ms: number;
  /** Answer as soon as the view differs from this one; without it, when the task has ended. */
  revision: string | undefined;
}

/** The present view of a task; with `wait_ms` the view after the next change, if it comes in time. */
export async function readTask(
  tenant: string,
  task_id: string,
  { wait_ms, revision }: Wait,
  ports: GatewayPorts,
): Promise<TaskView> {
  const until = ports.runtime.now() + wait_ms;
  for (;;) {
    const view = taskView(await findTask(tenant, task_id, ports), ports.settings.service_version);
    const news = view.ended_at !== undefined || (revision !== undefined && view.revision !== revision);
    if (news || ports.runtime.now() >= until) return view;
    await ports.runtime.sleep(POLL_MS);
  }
}

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

/** The trace of a tenant's task as recorded so far; one task and one query for its spans are read. */
export async function readTrace(tenant: string, task_id: string, ports: GatewayPorts): Promise<TraceView> {
  const task = await readTaskRecord(tenant, task_id, ports);
  if (!task) throw new HttpError(404, "TASK_NOT_FOUND", `there is no task ${task_id}`);
  return traceView(task, await readTaskSpans({ tenant, task_id }, ports));
}
