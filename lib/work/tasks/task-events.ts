import type { Ledger } from "#lib/work/tasks/task-store.ts";
import type { TaskEvent } from "#schemas/artifacts/task.ts";

/** What happened to a task, oldest first, read off its ledger. */
export function taskEvents({ task, steps }: Ledger): TaskEvent[] {
  const events: TaskEvent[] = [{ at: task.created_at, event: "task_accepted", detail: task.spec.workflow }];
  for (const { step, round, history, ended_at, outcome, status, replays = [] } of steps) {
    for (const { at, owner } of history)
      events.push({ at, event: "step_claimed", step, round, detail: owner });
    for (const { at, code } of replays) {
      events.push({ at, event: "step_replayed", step, round, detail: `it had ended: ${code}` });
    }
    if (ended_at) {
      const detail = outcome ? [outcome.verdict, outcome.code].filter(Boolean).join(" ") : status;
      events.push({ at: ended_at, event: "step_ended", step, round, detail });
    }
  }
  if (task.cancel_requested_at) events.push({ at: task.cancel_requested_at, event: "cancel_requested" });
  if (task.ended_at) {
    const detail = [task.status, task.error?.code].filter(Boolean).join(" ");
    events.push({ at: task.ended_at, event: "task_ended", detail });
  }
  return events.sort((a, b) => a.at.localeCompare(b.at));
}
