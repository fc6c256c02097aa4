import { Command } from "commander";
import { conclude } from "../conclude.ts";
import { readTask } from "../follow-task.ts";
import { openSession } from "../session.ts";

const EXAMPLES = `
Examples:
  $ agents status task_01k…
  $ agents status task_01k… --wait        follow it, also after an interruption
  $ agents status task_01k… --json | jq .verdict`;

async function status(task_id: string, options: { wait?: boolean }, command: Command): Promise<void> {
  const session = openSession(command);
  session.interruptHints = [];
  const view = await readTask(session.api, task_id);
  process.exitCode = await conclude(session, view, { wait: options.wait === true, steps: true });
}

export function statusCommand(): Command {
  return new Command("status")
    .summary("show where a task stands, or follow it")
    .description("Show a task's steps, verdict, first failure and artifacts.")
    .argument("<task>", "task id")
    .option("--wait", "follow the task to its end")
    .addHelpText("after", EXAMPLES)
    .action(status);
}
