import { Command } from "commander";
import { TraceView } from "#schemas/http/trace-view.ts";
import { waterfall } from "../render/waterfall.ts";
import { openSession } from "../session.ts";

const EXAMPLES = `
Examples:
  $ agents trace task_01k…
  $ agents trace task_01k… --json | jq .critical_path`;

async function trace(task_id: string, _options: unknown, command: Command): Promise<void> {
  const session = openSession(command);
  session.interruptHints = [];
  const view = await session.api.get(TraceView, `/api/tasks/${encodeURIComponent(task_id)}/trace`);
  session.answer(view, () => waterfall(view, session.terminal.paint));
}

export function traceCommand(): Command {
  return new Command("trace")
    .summary("show where a task's time went")
    .description("Show everything that was done for a task, hop by hop, as a waterfall with durations.")
    .argument("<task>", "task id")
    .addHelpText("after", EXAMPLES)
    .action(trace);
}
