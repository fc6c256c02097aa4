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
import { withLinks } from "./artifact-links.ts";
import type { GatewayPorts } from "./ports.ts";
import type { ListQuery } from "./queries.ts";

/** Reads the ledger of a tenant's task. Throws HttpError 404 `TASK_NOT_FOUND`, also for another tenant's task. */
export async function findTask(
  tenant: string,
  task_id: string,
  ports: Pick<GatewayPorts, "table" | "table_name" | "runtime">,
): Promise<Ledger> {
  const ledger = TaskId.safeParse(task_id).success ? await readLedger(tenant, task_id, ports) : undefined;
  if (!ledger) throw new HttpError("TASK_NOT_FOUND", `there is no task ${task_id}`);
  return ledger;
}

interface Wait {
  wait_ms: number;
  /** Answer as soon as the view differs from this one; without it, when the task has ended. */
  revision: string | undefined;
  /** Add a presigned URL to each artifact. */
  links?: boolean | undefined;
}

/** The present view of a task; with `wait_ms` the view after the next change, if it comes in time. */
export async function readTask(
  tenant: string,
  task_id: string,
  { wait_ms, revision, links }: Wait,
  ports: GatewayPorts,
): Promise<TaskView> {
  const until = ports.runtime.now() + wait_ms;
  const news = ports.followTask({ tenant, task_id, end_only: revision === undefined });
  try {
    for (;;) {
      const ledger = await findTask(tenant, task_id, ports);
      const view = taskView(ledger, ports.settings.service_version);
      const wanted = view.ended_at !== undefined || (revision !== undefined && view.revision !== revision);
      const left_ms = until - ports.runtime.now();
      if (wanted || left_ms <= 0 || !(await news.next(left_ms)))
        return links ? withLinks(view, ledger, ports) : view;
    }
  } finally {
    news.stop();
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
  if (!task) throw new HttpError("TASK_NOT_FOUND", `there is no task ${task_id}`);
  return traceView(task, await readTaskSpans({ tenant, task_id }, ports));
}
