import { Command, Option } from "commander";
import { TaskList } from "#schemas/http/task-view.ts";
import { TaskStatus } from "#schemas/records/task.ts";
import { momentOption, whole } from "../parse-option.ts";
import { taskTable } from "../render/task-table.ts";
import { openSession } from "../session.ts";

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

async function tasks(options: TasksOptions, command: Command): Promise<void> {
  const session = openSession(command);
  session.interruptHints = [];
  const { cursor, ...lasting } = options;
  // Instants, not spans: a cursor holds for the very same filters.
  const given = Object.entries(lasting).filter(([, value]) => value !== undefined);
  const again = ["agents tasks", ...given.map(([name, value]) => `--${name} ${value}`)].join(" ");
  const query = new URLSearchParams(given.map(([name, value]): [string, string] => [name, String(value)]));
  if (cursor !== undefined) query.set("cursor", cursor);
  const list = await session.api.get(TaskList, `/api/tasks?${query}`);
  session.answer(list, () => taskTable(list, session.terminal.paint, Date.now(), again));
}

export function tasksCommand(): Command {
  return new Command("tasks")
    .summary("list tasks, newest first")
    .description("List your tasks, newest first.")
    .option("--limit <number>", "how many", whole(1, 100), 20)
    .option("--cursor <cursor>", "go on where another list ended")
    .addOption(new Option("--status <status>", "only these").choices(TaskStatus.options))
    .option("--since <when>", "accepted from then on: 1d, a date or an RFC 3339 instant", momentOption)
    .option("--until <when>", "accepted before then", momentOption)
    .addHelpText("after", EXAMPLES)
    .action(tasks);
}
