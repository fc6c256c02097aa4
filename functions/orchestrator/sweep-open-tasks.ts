import { nudge } from "#lib/platform/messages/nudge.ts";
import type { InvocationSpans } from "#lib/platform/trace/invocation-spans.ts";
import { parseTraceparent } from "#lib/platform/trace/traceparent.ts";
import { overdueTasks } from "#lib/work/tasks/task-store.ts";
import type { OrchestratorPorts } from "./ports.ts";

const TASKS_MAX = 400;

/**
 * Nudges every open task that nothing has happened to for too long: accepted and never dispatched,
 * dispatched and never claimed, claimed by a worker that died, past its deadline, or not sealed.
 */
export async function sweepOpenTasks(ports: OrchestratorPorts, spans?: InvocationSpans): Promise<number> {
  const tasks = await overdueTasks(TASKS_MAX, ports);
  for (const task of tasks) {
    const root = parseTraceparent(task.traceparent, task.tracestate);
    if (root) await nudge({ ...task, parent: { ...root, recorder: spans?.scope(task) } }, "swept", ports);
    ports.counters.count("tasks_swept", task.tenant);
  }
  if (tasks.length > 0)
    ports.log.info("TASKS_SWEPT", `${tasks.length} overdue tasks nudged`, { tasks: tasks.length });
  return tasks.length;
}
