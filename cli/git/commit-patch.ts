import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { CliError } from "../cli-error.ts";
import { exitCode } from "../exit-code.ts";
import type { PlannedPath } from "../patch/plan-patch.ts";
import { branchTip, type Repository } from "./repository.ts";
import { git, gitLine } from "./run-git.ts";

/** Names the task in a commit's message: https://git-scm.com/docs/git-interpret-trailers */
const TRAILER = "Agents-Task";

/** Whether a commit was made of a task's patch here. */
export async function isCommitOf({ root }: Repository, commit: string, task_id: string): Promise<boolean> {
  const message = (await git(root, ["log", "-1", "--format=%B", commit])).toString("utf8");
  return message.split("\n").includes(`${TRAILER}: ${task_id}`);
}

/** @throws CliError `BRANCH_EXISTS` */
export async function requireNewBranch(repository: Repository, branch: string): Promise<void> {
  if ((await branchTip(repository, branch)) === undefined) return;
  throw new CliError(exitCode.usage, "BRANCH_EXISTS", `There is a branch ${branch} already.`, {
    hints: ["Give another name. Nothing was changed."],
  });
}

interface Commit {
  branch: string;
  /** Title, an empty line, and the rest. */
  message: string;
  task_id: string;
  planned: readonly PlannedPath[];
}

/**
 * Commits changes on a new branch from the commit that is checked out, by an index of its own: the work tree, the
 * index and the current branch stay as they are.
 *
 * @returns the commit's id
 * @throws CliError `BRANCH_EXISTS`, `GIT_FAILED`
 */
export async function commitPatch(
  repository: Repository,
  { branch, message, task_id, planned }: Commit,
): Promise<string> {
  const { root, prefix, head } = repository;
  await requireNewBranch(repository, branch);
  const temporary = mkdtempSync(join(tmpdir(), "agents-index-"));
  try {
    const own = { index_file: join(temporary, "index") };
    await git(root, ["read-tree", head], own);
    const lines: Buffer[] = [];
    // What is in the way of a new file goes before it comes.
    for (const { path, after } of planned.toSorted((a, b) => Number(!!a.after) - Number(!!b.after))) {
      const id =
        after &&
        (await gitLine(root, ["hash-object", "-w", "--stdin", "--no-filters"], { stdin: after.bytes }));
      lines.push(Buffer.from(`${after?.mode ?? "0"} ${id ?? "0".repeat(head.length)}\t${prefix}${path}\0`));
    }
    await git(root, ["update-index", "-z", "--index-info"], { ...own, stdin: Buffer.concat(lines) });
    const tree = await gitLine(root, ["write-tree"], own);
    const text = `${message.trimEnd()}\n\n${TRAILER}: ${task_id}\n`;
    const commit = await gitLine(root, ["commit-tree", tree, "-p", head, "-F", "-"], { stdin: text });
    // An empty old value: the branch must not be there.
    await git(root, ["update-ref", "-m", `agents: ${task_id}`, `refs/heads/${branch}`, commit, ""]);
    return commit;
  } finally {
    rmSync(temporary, { recursive: true, force: true });
  }
}
