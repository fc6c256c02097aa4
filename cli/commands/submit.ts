import { Command } from "commander";
import { UsageError } from "../cli-error.ts";
import { conclude } from "../conclude.ts";
import { hasEnded } from "../follow-task.ts";
import { whole } from "../parse-option.ts";
import { type ChangeOptions, readChange } from "../read-change.ts";
import { gitUrl, sendSource } from "../send-source.ts";
import { openSession } from "../session.ts";
import { checkSubmission, submitTask } from "../submit-task.ts";

interface SubmitOptions extends ChangeOptions {
  install?: string;
  build?: string;
  test?: string;
  report?: string[];
  requireTests?: boolean;
  command?: string;
  workflow?: string;
  git?: string;
  ref?: string;
  repository?: string;
  profile?: string;
  repairRounds?: number;
  deadline?: number;
  idempotencyKey?: string;
  wait?: boolean;
}

const EXAMPLES = `
Examples:
  $ agents submit . --test "npm test" --wait
  $ agents submit . --install "npm ci" --test "npm test" --profile standard --wait
  $ agents submit . --test "make check" --report "out/*-junit.xml" --require-tests --wait
  $ agents submit . --patch fix.diff --test "npm test" --repository shop --wait
  $ agents submit . --patch first.diff --fallback-patch second.diff --test "npm test" --wait
  $ agents submit . --patch server.diff --directory packages/server --test "npm test" --wait
  $ agents submit app.tgz --codemod rules.yml --build "npm run build" --test "npm test"
  $ agents submit . --prompt "round prices to cents" --test "npm test" --wait
  $ agents submit --git https://github.com/sindresorhus/slugify --ref main --command "ls -la" --wait
  $ agents submit . --agent aider --prompt "mend the date parser" --test "npm test" --wait
  $ agents submit . --test "npm test" --idempotency-key "$CI_JOB_ID" --wait --json > task.json

A directory is packed without what git ignores (outside git: without node_modules and .git).`;

function chooseWorkflow(options: SubmitOptions, has_change: boolean): string {
  if (options.workflow !== undefined) return options.workflow;
  if (has_change) return "change";
  if (options.test !== undefined) return "buildtest";
  if (options.command !== undefined) return "run";
  throw new UsageError(
    "There is nothing to do yet.",
    'Add --test "npm test" to build and test the source as it is,',
    "or --patch <file>, --codemod <file> or --prompt <text> to change it first,",
    "or --command <line> to run one command, or --workflow index to index it.",
  );
}

function fieldsOf(options: SubmitOptions) {
  const change = readChange(options);
  const { install, build, test, command, repository, profile, repairRounds, deadline } = options;
  return {
    workflow: chooseWorkflow(options, change !== undefined),
    ...(change && { change }),
    ...(install !== undefined && { install }),
    ...(build !== undefined && { build }),
    ...(test !== undefined && { test }),
    ...(options.report !== undefined && { reports: options.report }),
    ...(options.requireTests !== undefined && { require_tests: options.requireTests }),
    ...(command !== undefined && { command }),
    ...(repository !== undefined && { repository }),
    ...(profile !== undefined && { profile }),
    ...(repairRounds !== undefined && { repair_rounds: repairRounds }),
    ...(deadline !== undefined && { deadline_seconds: deadline }),
  };
}

/** Where the source is: the argument or --git, one of them. @throws UsageError */
function sourceOf(argument: string | undefined, { git, ref }: SubmitOptions): string {
  if (argument !== undefined && git !== undefined) {
    throw new UsageError("There are two sources.", "Give a source, or --git <url>, not both.");
  }
  if (git !== undefined) return gitUrl(git, ref);
  if (argument !== undefined) return argument;
  throw new UsageError("There is no source.", "Give a directory, a .tar.gz, or --git <url>.");
}

async function submit(argument: string | undefined, options: SubmitOptions, command: Command): Promise<void> {
  const source = sourceOf(argument, options);
  const fields = fieldsOf(options);
  checkSubmission({ ...fields, source: { kind: "upload", upload_id: "0".repeat(64) } });
  const session = openSession(command);
  const sent = await sendSource(session.api, source, options.ref, session.terminal);
  const submission = { ...fields, source: sent };
  checkSubmission(submission);
  session.interruptHints = ["A task may have been accepted: agents tasks"];
  const view = await submitTask(session.api, submission, options.idempotencyKey, session.terminal);
  const wait = options.wait === true;
  if (wait && !hasEnded(view)) {
    session.terminal.lines(`Task ${view.task_id}: ${view.workflow} on ${view.repository}`);
  }
  session.terminal.lines(...(view.notices ?? []).map((notice) => `  Note: ${notice}`));
  process.exitCode = await conclude(session, view, { wait, steps: false });
}

export function submitCommand(): Command {
  const collect = (value: string, before: string[] = []) => [...before, value];
  return new Command("submit")
    .summary("change, build, test, run or index a source")
    .description("Submit a source: a directory, a .tar.gz, or an http(s) git URL.")
    .argument("[source]", "directory, .tar.gz or git URL")
    .option("--git <url>", "the source is this git repository, cloned by the platform over http(s)")
    .option("--patch <file>", "change the source by this unified diff")
    .option("--fallback-patch <file>", "try this one when the tests fail after it; may be repeated", collect)
    .option("--strip <number>", "parts to take off the names in the patch, as patch -p", whole(0, 99))
    .option("--directory <path>", "directory of the source that the names in the patch are relative to")
    .option("--codemod <file>", "change the source by these ast-grep rules")
    .option("--prompt <text>", "change the source as these words say (needs a configured model)")
    .option("--agent <name>", "have this coding agent of configs/codegen.json make the change of --prompt")
    .option(
      "--install <command>",
      "fetch dependencies first, with what network the profile allows, as npm ci",
    )
    .option("--build <command>", "build with this shell command")
    .option("--test <command>", "test with this shell command")
    .option(
      "--report <glob>",
      "read the test reports in these files too, for example out/*-junit.xml; may be repeated",
      collect,
    )
    .option("--require-tests", "fail when no test is known to have run")
    .option("--command <command>", "run this shell command (workflow run)")
    .option(
      "--workflow <name>",
      "change, buildtest, index or run; follows from the other options if left out",
    )
    .option("--ref <ref>", "branch, tag or commit of it; its default branch if left out")
    .option("--repository <name>", "name the code is indexed under")
    .option("--profile <name>", "limits to run under, from configs/sandbox_limits.json")
    .option("--repair-rounds <number>", "repair rounds allowed when the tests fail", whole(0, 9))
    .option("--deadline <seconds>", "give up after this time", whole(1, 86_400))
    .option("--idempotency-key <key>", "the same key never makes a second task")
    .option("--wait", "follow the task to its end")
    .addHelpText("after", EXAMPLES)
    .action(submit);
}
