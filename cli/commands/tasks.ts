import { Command, Option } from "commander";
import { TaskList } from "#schemas/http/task-view.ts";
import { TaskStatus } from "#schemas/records/task.ts";
import { addPaging, askAndShow, commandAgain, queryOf } from "../ask-and-show.ts";
import { momentOption } from "../parse-option.ts";
import { taskTable } from "../render/task-table.ts";

interface TasksOptions {
  limit: number;
  cursor?: string;
  status?: string;
  since?: string;
  until?: string;
}

const EXAMPLES = `
Examples:
  $ agents tasks
  $ agents tasks --status failed --limit 50
  $ agents tasks --since 12h
  $ agents tasks --json | jq -r '.tasks[].task_id'`;

const tasks = askAndShow({
  // Instants, not spans: a cursor holds for the very same filters.
  ask: (api, options: TasksOptions) => api.get(TaskList, `/api/tasks${queryOf({ ...options })}`),
  lines: (list, paint, [options]) =>
    taskTable(list, paint, Date.now(), commandAgain("agents tasks", { ...options })),
});

export function tasksCommand(): Command {
  return addPaging(new Command("tasks"))
    .summary("list tasks, newest first")
    .description("List your tasks, newest first.")
    .addOption(new Option("--status <status>", "only these").choices(TaskStatus.options))
    .option("--since <when>", "accepted from then on: 1d, a date or an RFC 3339 instant", momentOption)
    .option("--until <when>", "accepted before then", momentOption)
    .addHelpText("after", EXAMPLES)
    .action(tasks);
}
