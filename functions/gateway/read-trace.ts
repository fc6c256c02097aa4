import { HttpError } from "#lib/platform/errors/http-error.ts";
import { readTaskSpans } from "#lib/platform/trace/task-spans.ts";
import { traceView } from "#lib/platform/trace/trace-tree.ts";
import { readTask } from "#lib/work/tasks/task-store.ts";
import type { TraceView } from "#schemas/http/trace-view.ts";
import type { GatewayPorts } from "./ports.ts";

/** The trace of a tenant's task as recorded so far; one task and one query for its spans are read. */
export async function readTrace(tenant: string, task_id: string, ports: GatewayPorts): Promise<TraceView> {
  const task = await readTask(tenant, task_id, ports);
  if (!task) throw new HttpError(404, "TASK_NOT_FOUND", `there is no task ${task_id}`);
  const { spans, truncated } = await readTaskSpans({ tenant, task_id }, ports);
  return traceView(task, spans, truncated);
}
