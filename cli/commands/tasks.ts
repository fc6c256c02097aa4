import { Command, Option } from "commander";
import { TaskList } from "#schemas/http/task-view.ts";
import { TaskStatus } from "#schemas/records/task.ts";
import { whole } from "../parse-option.ts";
import { taskTable } from "../render/task-table.ts";
import { openSession } from "../session.ts";

interface TasksOptions {
  limit: number;
  cursor?: string;
  status?: string;
}

const EXAMPLES = `
Examples:
  $ agents tasks
  $ agents tasks --status failed --limit 50
  $ agents tasks --json | jq -r '.tasks[].task_id'`;

async function tasks(options: TasksOptions, command: Command): Promise<void> {
  const session = openSession(command);
  session.interruptHints = [];
  const query = new URLSearchParams({ limit: String(options.limit) });
  if (options.cursor !== undefined) query.set("cursor", options.cursor);
  if (options.status !== undefined) query.set("status", options.status);
  const list = await session.api.get(TaskList, `/api/tasks?${query}`);
  session.answer(list, () => taskTable(list, session.terminal.paint, Date.now()));
}

export function tasksCommand(): Command {
  return new Command("tasks")
    .summary("list tasks, newest first")
    .description("List your tasks, newest first.")
    .option("--limit <number>", "how many", whole(1, 100), 20)
    .option("--cursor <cursor>", "go on where another list ended")
    .addOption(new Option("--status <status>", "only these").choices(TaskStatus.options))
    .addHelpText("after", EXAMPLES)
    .action(tasks);
}
