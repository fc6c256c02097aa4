import { existsSync } from "node:fs";
import { Command } from "commander";
import { CliError, UsageError } from "../cli-error.ts";
import { exitCode } from "../exit-code.ts";
import { fetchArtifact } from "../fetch-artifact.ts";
import { hasEnded, readTask } from "../follow-task.ts";
import { logLine } from "../render/log-line.ts";
import { openSession } from "../session.ts";
import { type LogFilter, nearestStackLog, readLogLines } from "../stack-log.ts";
import { createTerminal } from "../terminal.ts";

const EXAMPLES = `
Examples:
  $ agents logs task_01k…
  $ agents logs task_01k… | less
  $ agents logs --task task_01k…
  $ agents logs --code MESSAGE_DEAD_LETTERED --follow
  $ agents logs --trace 4bf92f3577b34da6a3ce929d0e0e4736 --json | jq .message`;

interface Options extends LogFilter {
  all?: boolean;
  follow?: boolean;
  file?: string;
}

async function logs(task_id: string | undefined, options: Options, command: Command): Promise<void> {
  const { task, trace, code, follow, file } = options;
  const of_stack = [task, trace, code, follow, file].some((each) => each !== undefined);
  if (of_stack && task_id !== undefined)
    throw new UsageError("Either a task's own logs, by its id, or the platform's, by --task and the like.");
  if (of_stack) return stackLogs(options, command);
  if (task_id === undefined)
    throw new UsageError(
      "Name a task, or say which lines of the platform's log: --task, --trace, --code, --follow.",
    );
  return taskLogs(task_id, options, command);
}

const SHAPES: Record<keyof LogFilter, RegExp> = {
  task: /^task_[a-z0-9]{1,64}$/,
  trace: /^[0-9a-f]{32}$/,
  code: /^[A-Z][A-Z0-9_]{0,63}$/,
};

/** Prints lines of the local stack's log. With --json each is a JSON document of one line. */
async function stackLogs({ follow, file: named, ...filter }: Options, command: Command): Promise<void> {
  for (const name of ["task", "trace", "code"] as const) {
    const given = filter[name];
    if (given !== undefined && !SHAPES[name].test(given))
      throw new UsageError(`--${name} is wrong: ${given}`);
  }
  const file = named ?? nearestStackLog(process.cwd());
  if (file === undefined || !existsSync(file)) {
    throw new CliError(
      exitCode.unreachable,
      "NO_STACK_LOG",
      `There is no ${file ?? ".local/stack.log"} here.`,
      {
        hints: [
          "Start the stack with `npm start` (without --verbose), or name its log with --file.",
          "On AWS the log is in CloudWatch: docs/guides/monitoring.md has queries.",
        ],
      },
    );
  }
  const { json, raw } = command.optsWithGlobals<{ json?: boolean; raw?: boolean }>();
  const terminal = createTerminal(process.stdout, process.env, { raw: raw === true });
  for await (const line of readLogLines(file, filter, { follow: follow === true })) {
    if (json) process.stdout.write(`${JSON.stringify(line)}\n`);
    else terminal.lines(logLine(line, terminal.paint));
  }
}

async function taskLogs(task_id: string, options: { all?: boolean }, command: Command): Promise<void> {
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
    .summary("print what a task's commands wrote, or the platform's own log")
    .description(
      "Print the logs of a task: install.log, build.log, test.log, and output.log of workflow run. With --task, --trace, --code or --follow: lines of the local stack's own log.",
    )
    .argument("[task]", "task id")
    .option("--all", "those of earlier rounds too")
    .option("--task <id>", "lines of the platform's log about this task")
    .option("--trace <id>", "lines of the platform's log with this trace id")
    .option("--code <code>", "lines of the platform's log with this code: docs/reference/logs.md")
    .option("--follow", "go on with what is added to the platform's log")
    .option("--file <path>", "the log of another local stack")
    .addHelpText("after", EXAMPLES)
    .action(logs);
}
