import { Command } from "commander";
import { CliError } from "../cli-error.ts";
import { exitCode } from "../exit-code.ts";
import { fetchArtifact } from "../fetch-artifact.ts";
import { hasEnded, readTask } from "../follow-task.ts";
import { openSession } from "../session.ts";

const EXAMPLES = `
Examples:
  $ agents logs task_01k…
  $ agents logs task_01k… | less`;

async function logs(task_id: string, options: { all?: boolean }, command: Command): Promise<void> {
  const session = openSession(command);
  session.interruptHints = [];
  const view = await readTask(session.api, task_id);
  const found = view.artifacts.filter(
    ({ path }) => path.endsWith(".log") && (options.all || !path.includes("/earlier/")),
  );
  if (found.length === 0) {
    const hint = hasEnded(view)
      ? `See its steps: agents status ${task_id}`
      : `It is ${view.status}; logs appear when a step has ended. Follow it: agents status ${task_id} --wait`;
    throw new CliError(exitCode.failed, "NO_LOGS", `${task_id} has no logs.`, { hints: [hint] });
  }
  const texts: [string, string][] = [];
  for (const artifact of found) {
    texts.push([artifact.path, new TextDecoder().decode(await fetchArtifact(session.api, artifact))]);
  }
  const { paint } = session.terminal;
  session.answer(Object.fromEntries(texts), () =>
    texts.flatMap(([path, text]) => [paint.bold(`==> ${path} <==`), ...text.trimEnd().split("\n")]),
  );
}

export function logsCommand(): Command {
  return new Command("logs")
    .summary("print what a task's commands wrote")
    .description(
      "Print the logs of a task: install.log, build.log, test.log, and output.log of workflow run.",
    )
    .argument("<task>", "task id")
    .option("--all", "those of earlier rounds too")
    .addHelpText("after", EXAMPLES)
    .action(logs);
}
