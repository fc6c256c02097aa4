import type { TaskList } from "#schemas/http/task-view.ts";
import { formatDuration } from "./format.ts";
import { type Paint, verdictSign } from "./paint.ts";

/** One line a task, newest first. `now` in Unix ms; `again` is the command that made the list. */
export function taskTable(list: TaskList, paint: Paint, now: number, again: string): string[] {
  const more = list.next_cursor === null ? [] : [paint.dim(`More: ${again} --cursor ${list.next_cursor}`)];
  if (list.tasks.length === 0) {
    return [paint.dim("No tasks like that. Submit one: agents submit --help"), ...more];
  }
  const lines = list.tasks.map((task) => {
    const sign = task.ended_at === undefined ? paint.cyan("·") : verdictSign(task.verdict, paint);
    const age = `${formatDuration(now - Date.parse(task.created_at))} ago`;
    const ended_ms = task.ended_at === undefined ? now : Date.parse(task.ended_at);
    const took = formatDuration(ended_ms - Date.parse(task.created_at));
    const error = task.error === undefined ? "" : `  ${paint.red(task.error.code)}`;
    return `${sign} ${task.task_id}  ${task.status.padEnd(9)}  ${task.workflow.padEnd(10)} ${took.padStart(11)}  ${age.padStart(15)}  ${task.repository}${error}`;
  });
  return [...lines, ...more];
}
