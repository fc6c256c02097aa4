import { HttpError } from "#lib/platform/errors/http-error.ts";
import { nudge } from "#lib/platform/messages/send-message.ts";
import { instant } from "#lib/platform/runtime/runtime.ts";
import { inSpan } from "#lib/platform/trace/span.ts";
import type { TraceContext } from "#lib/platform/trace/traceparent.ts";
import { taskTrace } from "#lib/platform/trace/traceparent.ts";
import { moveTask } from "#lib/work/tasks/task-store.ts";
import { taskView } from "#lib/work/views/task-view.ts";
import type { TaskView } from "#schemas/http/task-view.ts";
import type { TaskRecord } from "#schemas/records/task.ts";
import type { GatewayPorts } from "./ports.ts";
import { findTask } from "./read-task.ts";

const RACES_MAX = 10;

/**
 * Requests the cancellation of a task. The orchestrator fences out the running step, whose worker then
 * stops at its next renewal. Throws HttpError 409 `TASK_ENDED` when it has ended already.
 */
export async function cancelTask(
  tenant: string,
  task_id: string,
  request: TraceContext,
  ports: GatewayPorts,
): Promise<TaskView> {
  for (let races = 0; races < RACES_MAX; races += 1) {
    const ledger = await findTask(tenant, task_id, ports);
    const { task } = ledger;
    if (task.ended_at) throw new HttpError("TASK_ENDED", `task ${task_id} has ended: ${task.status}`);
    const now = ports.runtime.now();
    const requested = task.cancel_requested_at
      ? task
      : await moveTask(task, { cancel_requested_at: instant(now) }, now, ports);
    if (!requested) continue;
    await tellOrchestrator(requested, request, ports);
    return taskView({ ...ledger, task: requested }, ports.settings.service_version);
  }
  throw new HttpError("TASK_CONTENDED", `other processes keep changing task ${task_id}; try again`);
}

/** Nudges the orchestrator in the trace of the task, with a link to the request's trace. */
async function tellOrchestrator(task: TaskRecord, request: TraceContext, ports: GatewayPorts): Promise<void> {
  request.recorder?.belongsTo(task);
  await inSpan(taskTrace(task, request.recorder), { name: "cancel task" }, ports.runtime, (span) => {
    span.link(request);
    return nudge({ ...task, parent: span }, "cancel_requested", ports);
  });
}
