import type { TaskEnded } from "#schemas/messages/webhooks.ts";
import type { TaskRecord } from "#schemas/records/task.ts";

const MESSAGE_CHARACTERS_MAX = 2000;

/** How often a task had been taken up again when it ended. */
export function endingOf({ reopenings }: Pick<TaskRecord, "reopenings">): number {
  return reopenings?.length ?? 0;
}

/** What is told of an ended task: from its record alone, which no longer changes, so each time the same. */
export function taskEnded(task: TaskRecord): TaskEnded {
  const { ended_at, error } = task;
  if (ended_at === undefined) throw new RangeError(`task ${task.task_id} has not ended`);
  return {
    type: "task.ended",
    timestamp: ended_at,
    data: {
      task_id: task.task_id,
      tenant: task.tenant,
      workflow: task.spec.workflow,
      repository: task.spec.repository,
      status: task.status,
      ...(task.verdict && { verdict: task.verdict }),
      ...(error && { error: { ...error, message: error.message.slice(0, MESSAGE_CHARACTERS_MAX) } }),
      ending: endingOf(task),
      trace_id: task.trace_id,
      created_at: task.created_at,
      ended_at,
    },
  };
}
