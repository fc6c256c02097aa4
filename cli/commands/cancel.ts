import { Command } from "commander";
import { TaskView } from "#schemas/http/task-view.ts";
import { conclude } from "../conclude.ts";
import { exitCode } from "../exit-code.ts";
import { openSession } from "../session.ts";

const EXAMPLES = `
Examples:
  $ agents cancel task_01k…
  $ agents cancel task_01k… --wait        until its running step has stopped`;

async function cancel(task_id: string, options: { wait?: boolean }, command: Command): Promise<void> {
  const session = openSession(command);
  const view = await session.api.post(TaskView, `/api/tasks/${encodeURIComponent(task_id)}/cancel`);
  const code = await conclude(session, view, { wait: options.wait === true, steps: true });
  // Canceled is what was asked for.
  process.exitCode = code === exitCode.failed ? exitCode.passed : code;
}

export function cancelCommand(): Command {
  return new Command("cancel")
    .summary("stop a task")
    .description("Stop a task: what runs is aborted, what is queued does not start.")
    .argument("<task>", "task id")
    .option("--wait", "follow the task to its end")
    .addHelpText("after", EXAMPLES)
    .action(cancel);
}
