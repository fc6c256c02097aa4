import { resolve } from "node:path";
import { Command } from "commander";
import { CliError, UsageError } from "../cli-error.ts";
import { exitCode } from "../exit-code.ts";
import { commitPatch, isCommitOf, requireNewBranch } from "../git/commit-patch.ts";
import { compareAddress } from "../git/forge-address.ts";
import { pushBranch, remoteUrl } from "../git/push-branch.ts";
import {
  branchTip,
  checkBranchName,
  commitTree,
  openRepository,
  type Repository,
} from "../git/repository.ts";
import { nothingToCommit, planPatch } from "../patch/plan-patch.ts";
import { commitMessage, readTaskMessage, type TaskMessage } from "../patch/task-message.ts";
import { readTaskPatch, requirePassed, type TaskPatch } from "../patch/task-patch.ts";
import { withCliErrors } from "../patch/with-cli-errors.ts";
import { openSession, type Session } from "../session.ts";

interface PrOptions {
  push?: string;
  branch?: string;
  directory: string;
  force?: boolean;
}

const EXAMPLES = `
Examples:
  $ agents pr task_01k…                                   title, an empty line, description
  $ agents pr task_01k… --push origin                     make the branch agents/task_01k…, push it
  $ agents pr task_01k… --push origin --branch fix-dates
  $ agents pr task_01k… --json | jq -r .title

After a push it prints where GitHub, GitLab or Bitbucket opens the pull request of the branch. It speaks to git only.`;

/** Makes the branch, or takes the one that an earlier run has made and could not push. */
async function branchOf(
  repository: Repository,
  patch: TaskPatch,
  branch: string,
  message: TaskMessage,
): Promise<string> {
  const { task_id } = patch.view;
  const tip = await branchTip(repository, branch);
  if (tip !== undefined) {
    if (await isCommitOf(repository, tip, task_id)) return tip;
    await requireNewBranch(repository, branch);
  }
  const base = await commitTree(repository);
  const { todo } = await withCliErrors(() => planPatch(patch, base));
  if (todo.length === 0) throw nothingToCommit(task_id);
  return commitPatch(repository, { branch, message: commitMessage(message), task_id, planned: todo });
}

async function push(
  session: Session,
  patch: TaskPatch,
  remote: string,
  message: TaskMessage,
  options: PrOptions,
): Promise<void> {
  const { task_id } = patch.view;
  const branch = options.branch ?? `agents/${task_id}`;
  const repository = await openRepository(resolve(options.directory));
  await checkBranchName(repository.root, branch);
  const url = await remoteUrl(repository, remote);
  const commit = await branchOf(repository, patch, branch, message);
  session.interruptHints = [`The branch ${branch} is made; push it: git push ${remote} ${branch}`];
  await pushBranch(repository, remote, branch);
  const compare_url = compareAddress(url, branch) ?? null;
  session.answer({ task_id, ...message, branch, commit, remote, compare_url }, () => [
    `Pushed ${branch} (${commit.slice(0, 12)}) to ${remote}`,
    ...(compare_url === null ? [] : [compare_url]),
  ]);
}

async function pr(task_id: string, options: PrOptions, command: Command): Promise<void> {
  if (options.push === undefined && options.branch !== undefined) {
    throw new UsageError(
      "--branch names the branch that is pushed.",
      "Add --push <remote>, or use: agents apply --branch",
    );
  }
  const session = openSession(command);
  session.interruptHints = ["Nothing was changed."];
  const patch = await readTaskPatch(session.api, task_id);
  const message = await readTaskMessage(session.api, patch.view);
  if (options.push === undefined) {
    const { title, description } = message;
    return session.answer({ task_id, title, description }, () => [title, "", ...description.split("\n")]);
  }
  requirePassed(patch, options.force);
  if (options.push === "") throw new CliError(exitCode.usage, "USAGE", "--push needs the name of a remote.");
  await push(session, patch, options.push, message, options);
}

export function prCommand(): Command {
  return new Command("pr")
    .summary("print title and description of a pull request, or push its branch")
    .description(
      "Print title and description of a pull request for the patch of a task; with --push make its branch.",
    )
    .argument("<task>", "task id")
    .option("--push <remote>", "commit the patch on a new branch from HEAD, and push it to this remote")
    .option("--branch <name>", "name of the branch (default: agents/<task>)")
    .option("--directory <path>", "where the source was submitted from", ".")
    .option("--force", "push also when the task did not pass")
    .addHelpText("after", EXAMPLES)
    .action(pr);
}
