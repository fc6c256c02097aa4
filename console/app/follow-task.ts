import type { TaskView } from "#schemas/http/task-view.ts";
import { ApiProblem, ask } from "./api.ts";

const WAIT_SECONDS = 20;
const AFTER_FAILURE_MS = 5000;

/** Tells each new view of a task until it has ended. Stops quietly when it cannot: the list is refreshed anyway. */
export async function followTask(
  task_id: string,
  signal: AbortSignal,
  tell: (view: TaskView) => void,
  first?: TaskView,
): Promise<void> {
  let view = first;
  while (!signal.aborted && !view?.ended_at) {
    const query = view ? { wait: WAIT_SECONDS, revision: view.revision } : {};
    try {
      const next = await ask<TaskView>(`/api/tasks/${task_id}`, { query, signal });
      if (signal.aborted) return;
      if (next.revision !== view?.revision) tell(next);
      view = next;
    } catch (error) {
      if (!(error instanceof ApiProblem) || error.status === 404 || error.status === 401) return;
      await new Promise((resolve) => setTimeout(resolve, AFTER_FAILURE_MS));
    }
  }
}
