import { resolve } from "node:path";
import { Command } from "commander";
import { UsageError } from "../cli-error.ts";
import { confirm } from "../confirm.ts";
import { commitPatch, requireNewBranch } from "../git/commit-patch.ts";
import { checkBranchName, commitTree, openRepository } from "../git/repository.ts";
import { workingTree } from "../patch/patch-base.ts";
import { nothingToCommit, planPatch } from "../patch/plan-patch.ts";
import { commitMessage, readTaskMessage } from "../patch/task-message.ts";
import { readTaskPatch, requirePassed, type TaskPatch } from "../patch/task-patch.ts";
import { withCliErrors } from "../patch/with-cli-errors.ts";
import { preparedBy, stagePath, writeFiles } from "../patch/write-files.ts";
import { sums } from "../render/diff-stat.ts";
import { count } from "../render/format.ts";
import { openSession, type Session } from "../session.ts";
import { colorOption, type ShowOptions, showPatch } from "../show-patch.ts";

interface ApplyOptions extends ShowOptions {
  branch?: string;
  directory: string;
  yes?: boolean;
  force?: boolean;
  json?: boolean;
}

const EXAMPLES = `
Examples:
  $ agents apply task_01k…
  $ agents apply task_01k… --stat --yes
  $ agents apply task_01k… --branch fix-dates      commit it on a new branch, by git
  $ agents apply task_01k… --directory packages/server

It changes all files or none, and none when one of them is not as the task was given it. A run that was stopped in the
middle is finished by the next one. Only --branch needs git; it leaves the working tree as it is.`;

async function show(patch: TaskPatch, options: ApplyOptions): Promise<void> {
  if (options.json) return;
  await showPatch(patch, options, { stream: process.stdout, env: process.env, paged: !options.yes });
}

async function ask(question: string, options: ApplyOptions): Promise<void> {
  if (options.yes) return;
  if (options.json) throw new UsageError("--json asks nothing.", "Say yes beforehand: --yes");
  await confirm(question);
}

async function applyToTree(session: Session, patch: TaskPatch, options: ApplyOptions): Promise<void> {
  const { task_id } = patch.view;
  const directory = resolve(options.directory);
  const stage = stagePath(directory, task_id);
  const plan = () => withCliErrors(() => planPatch(patch, workingTree(directory), preparedBy(stage)));
  const { todo, done } = await plan();
  const answer = (applied: number, line: string) =>
    session.answer({ task_id, directory, files: patch.changes, applied }, () => [line]);
  if (todo.length === 0) {
    writeFiles(directory, stage, []); // what a stopped run had left
    return answer(0, `${task_id} is applied to ${directory} already. Nothing was changed.`);
  }
  await show(patch, options);
  if (done > 0) {
    const left = `${count(done, "path")} of the patch are done, ${todo.length} are left`;
    session.terminal.lines(`An earlier run was stopped: ${left}.`);
  }
  await ask(`Apply it to ${directory}?`, options);
  // The person may have taken long to answer.
  writeFiles(directory, stage, (await plan()).todo);
  answer(todo.length, `Applied to ${directory}: ${sums(patch.changes)}`);
}

async function applyToBranch(session: Session, patch: TaskPatch, options: ApplyOptions): Promise<void> {
  const { task_id } = patch.view;
  const branch = options.branch ?? "";
  const repository = await openRepository(resolve(options.directory));
  await checkBranchName(repository.root, branch);
  await requireNewBranch(repository, branch);
  const base = await commitTree(repository);
  const { todo } = await withCliErrors(() => planPatch(patch, base));
  if (todo.length === 0) throw nothingToCommit(task_id);
  const message = commitMessage(await readTaskMessage(session.api, patch.view));
  await show(patch, options);
  await ask(`Commit it on the new branch ${branch}?`, options);
  const commit = await commitPatch(repository, { branch, message, task_id, planned: todo });
  session.answer({ task_id, branch, commit, files: patch.changes }, () => [
    `Committed on ${branch} as ${commit.slice(0, 12)}: ${sums(patch.changes)}`,
    session.terminal.paint.dim(`  Your working tree is as it was. See it: git show ${branch}`),
  ]);
}

async function apply(task_id: string, _options: ApplyOptions, command: Command): Promise<void> {
  const options = command.optsWithGlobals<ApplyOptions>();
  const session = openSession(command);
  session.interruptHints = ["Nothing was changed."];
  const patch = await readTaskPatch(session.api, task_id);
  requirePassed(patch, options.force);
  await (options.branch === undefined ? applyToTree : applyToBranch)(session, patch, options);
}

export function applyCommand(): Command {
  return new Command("apply")
    .summary("apply the patch of a task to your files, or commit it on a branch")
    .description("Show the patch of a task, ask, and apply it to the working tree or to a new branch.")
    .argument("<task>", "task id")
    .option(
      "--branch <name>",
      "commit it on this new branch, made from HEAD; the working tree stays as it is",
    )
    .option("--directory <path>", "where the source was submitted from", ".")
    .option("--stat", "show only how many lines of which files")
    .option("--yes", "do not ask")
    .option("--force", "also when the task did not pass")
    .addOption(colorOption())
    .addHelpText("after", EXAMPLES)
    .action(apply);
}
