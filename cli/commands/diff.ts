import { Command } from "commander";
import { patchField, readTaskPatch, shortfall } from "../patch/task-patch.ts";
import { openSession } from "../session.ts";
import { colorOption, type ShowOptions, showPatch } from "../show-patch.ts";
import { createTerminal } from "../terminal.ts";

interface DiffOptions extends ShowOptions {
  pager: boolean;
  json?: boolean;
}

const EXAMPLES = `
Examples:
  $ agents diff task_01k…
  $ agents diff task_01k… --stat
  $ agents diff task_01k… | git apply
  $ agents diff task_01k… --color always | less -R

On a terminal it goes through $PAGER (default: less -FRX; none when PAGER is empty or cat). Into a pipe goes the patch,
byte by byte.`;

async function diff(task_id: string, _options: DiffOptions, command: Command): Promise<void> {
  const options = command.optsWithGlobals<DiffOptions>();
  const session = openSession(command);
  session.interruptHints = [];
  const patch = await readTaskPatch(session.api, task_id);
  const { view, bytes, changes } = patch;
  if (options.json) {
    const document = { task_id, verdict: view.verdict ?? null, files: changes };
    return session.answer(options.stat ? document : { ...document, ...patchField(bytes) }, () => []);
  }
  if (view.verdict !== "passed") {
    const note = `Note: ${task_id} did not pass: ${shortfall(view)}.`;
    createTerminal(process.stderr, process.env, { raw: options.raw === true }).lines(note);
  }
  await showPatch(patch, options, { stream: process.stdout, env: process.env, paged: options.pager });
}

export function diffCommand(): Command {
  return new Command("diff")
    .summary("show the patch of a task")
    .description("Show the patch of a task that has ended: of the round that was kept.")
    .argument("<task>", "task id")
    .option("--stat", "only how many lines of which files")
    .addOption(colorOption())
    .option("--no-pager", "write straight to the terminal")
    .addHelpText("after", EXAMPLES)
    .action(diff);
}
