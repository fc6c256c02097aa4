import { CliError } from "../cli-error.ts";
import { exitCode } from "../exit-code.ts";
import type { Repository } from "./repository.ts";
import { git, gitFailed, gitLine, runGit } from "./run-git.ts";

/** Where a push to a remote goes. @throws CliError `REMOTE_UNKNOWN`, naming those there are */
export async function remoteUrl({ root }: Repository, remote: string): Promise<string> {
  const names = (await git(root, ["remote"])).toString("utf8").split("\n").filter(Boolean);
  if (names.includes(remote)) return gitLine(root, ["remote", "get-url", "--push", remote]);
  throw new CliError(exitCode.usage, "REMOTE_UNKNOWN", `There is no remote ${remote}.`, {
    hints: [
      names.length > 0 ? `There is: ${names.join(", ")}.` : "Add one first: git remote add origin <url>",
    ],
  });
}

/** Never over a branch that is there and has gone on. @throws CliError `GIT_FAILED` */
export async function pushBranch({ root }: Repository, remote: string, branch: string): Promise<void> {
  const refs = `refs/heads/${branch}:refs/heads/${branch}`;
  const run = await runGit(root, ["push", "--porcelain", remote, refs], { interactive: true });
  if (run.exit_code === 0) return;
  // Why a push is refused stands in its table: https://git-scm.com/docs/git-push#_output
  const refused = run.stdout
    .toString("utf8")
    .split("\n")
    .filter((line) => line.startsWith("!"));
  throw gitFailed("push", { ...run, stderr: [run.stderr, ...refused].join("\n") });
}
