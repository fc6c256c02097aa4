import { Command } from "commander";
import { TraceView } from "#schemas/http/trace-view.ts";
import { askAndShow } from "../ask-and-show.ts";
import { waterfall } from "../render/waterfall.ts";

const EXAMPLES = `
Examples:
  $ agents trace task_01k…
  $ agents trace task_01k… --json | jq .critical_path`;

const trace = askAndShow({
  ask: (api, task_id: string) => api.get(TraceView, `/api/tasks/${encodeURIComponent(task_id)}/trace`),
  lines: waterfall,
});

export function traceCommand(): Command {
  return new Command("trace")
    .summary("show where a task's time went")
    .description("Show everything that was done for a task, hop by hop, as a waterfall with durations.")
    .argument("<task>", "task id")
    .addHelpText("after", EXAMPLES)
    .action(trace);
}
