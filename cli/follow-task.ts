import { setTimeout as sleep } from "node:timers/promises";
import { TaskView } from "#schemas/http/task-view.ts";
import type { Api } from "./api.ts";
import { CliError } from "./cli-error.ts";
import { exitCode } from "./exit-code.ts";
import { type Patience, patiently } from "./patiently.ts";

const WAIT_SECONDS = 20;
/** The server ends a task at its deadline; this long after it something is wrong. */
const GRACE_MS = 600_000;
const PAUSE_MS = 250;

/** Whether nothing more will happen to a task. */
export function hasEnded(view: Pick<TaskView, "status">): boolean {
  return view.status === "succeeded" || view.status === "failed" || view.status === "canceled";
}

/** One look at a task, with links to its artifacts when wanted. @throws ProblemError when there is none of that id */
export function readTask(api: Api, task_id: string, { links = false } = {}): Promise<TaskView> {
  return api.get(TaskView, `/api/tasks/${encodeURIComponent(task_id)}${links ? "?links=true" : ""}`);
}

/**
 * The task after its next visible change, or after `wait_seconds` (20 at most) without one.
 * @throws ProblemError, Unreachable
 */
export async function nextView(api: Api, view: TaskView, wait_seconds = WAIT_SECONDS): Promise<TaskView> {
  const query = new URLSearchParams({ wait: String(wait_seconds), revision: view.revision });
  const path = `/api/tasks/${encodeURIComponent(view.task_id)}?${query}`;
  const asked_at = Date.now();
  const next = await api.get(TaskView, path, { timeout_ms: (wait_seconds + 20) * 1000 });
  // An API that does not wait must not be asked in a tight loop.
  if (next.revision === view.revision && Date.now() - asked_at < PAUSE_MS) await sleep(PAUSE_MS);
  return next;
}

/**
 * Follow a task until it has ended, by long polls. An outage of the API is sat out as `patience` says.
 * @throws CliError when the task has not ended ten minutes after its deadline
 */
export async function followTask(
  api: Api,
  first: TaskView,
  patience: Patience,
  onView: (view: TaskView) => void,
): Promise<TaskView> {
  let view = first;
  onView(view);
  while (!hasEnded(view)) {
    if (Date.now() > Date.parse(view.deadline_at) + GRACE_MS) {
      const message = `${view.task_id} is ${view.status} ten minutes after its deadline.`;
      throw new CliError(exitCode.error, "TASK_OVERDUE", message, { trace_id: view.trace_id });
    }
    const known = view;
    const next = await patiently(() => nextView(api, known), patience);
    if (next.revision !== view.revision) onView(next);
    view = next;
  }
  return view;
}
