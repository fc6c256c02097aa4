import { instant } from "#lib/platform/runtime/runtime.ts";
import { moveTask, type TaskPorts } from "#lib/work/tasks/task-store.ts";
import type { Reopening, TaskRecord } from "#schemas/records/task.ts";

/** Whether the task took up work again for this replay of the step. */
export function isReopened(task: TaskRecord, { step, round, generation }: Omit<Reopening, "at">): boolean {
  return (task.reopenings ?? []).some(
    (one) => one.step === step && one.round === round && one.generation === generation,
  );
}

/** A reopened task's deadline (Unix ms): as much time again as it was given at first. */
export function deadlineAgain(
  { deadline_at, created_at, reopenings = [] }: TaskRecord,
  now_ms: number,
): number {
  return now_ms + Date.parse(deadline_at) - Date.parse(reopenings.at(-1)?.at ?? created_at);
}

/**
 * Puts a task back to work at a step that was re-armed: open, at that step, with a new deadline, and
 * due for the sweeper after `check_ms`. Undefined when somebody moved it first.
 */
export async function reopenTask(
  task: TaskRecord,
  place: Omit<Reopening, "at">,
  check_ms: number,
  ports: TaskPorts,
): Promise<TaskRecord | undefined> {
  const now_ms = ports.runtime.now();
  const at = instant(now_ms);
  const deadline_ms = deadlineAgain(task, now_ms);
  const { ended_at: _0, sealed_at: _1, verdict: _2, error: _3, ...lasting } = task;
  return moveTask(
    lasting,
    {
      status: "running",
      deadline_at: instant(deadline_ms),
      reopenings: [...(task.reopenings ?? []), { at, ...place }],
      current: { step: place.step, round: place.round, dispatched_at: at, dispatch_count: 1 },
    },
    Math.min(now_ms + check_ms, deadline_ms),
    ports,
  );
}
