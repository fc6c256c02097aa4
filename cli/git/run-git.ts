import { spawnProgram } from "#lib/platform/processes/spawn-program.ts";
import { CliError } from "../cli-error.ts";
import { exitCode } from "../exit-code.ts";

export interface GitRun {
  exit_code: number | null;
  stdout: Buffer;
  stderr: string;
}

interface GitOptions {
  stdin?: Uint8Array | string;
  /** In place of the repository's own index. */
  index_file?: string;
  /** Let it ask for a password, and show its progress. */
  interactive?: boolean;
}

/** A git hook sets these for its own repository. Which one is meant here, the directory says. */
const HOOK_VARIABLES =
  /^GIT_(?:DIR|WORK_TREE|INDEX_FILE|OBJECT_DIRECTORY|ALTERNATE_OBJECT_DIRECTORIES|PREFIX|NAMESPACE|COMMON_DIR|CEILING_DIRECTORIES)$/;
/** The repository may be somebody else's: none of the programs that its configuration names is run for these commands. */
const SETTINGS = ["-c", "core.hooksPath=/dev/null", "-c", "core.fsmonitor=false", "--no-pager"];

/** Runs git in a directory, whatever its exit code. @throws CliError `GIT_MISSING` */
export async function runGit(
  directory: string,
  words: readonly string[],
  options: GitOptions = {},
): Promise<GitRun> {
  const { stdin = "", index_file, interactive = false } = options;
  const inherited = Object.entries(process.env).filter(([name]) => !HOOK_VARIABLES.test(name));
  const child = spawnProgram("git", [...SETTINGS, ...words], {
    cwd: directory,
    env: {
      ...Object.fromEntries(inherited),
      // What git says is read here.
      LC_ALL: "C",
      GIT_OPTIONAL_LOCKS: "0",
      ...(interactive ? {} : { GIT_TERMINAL_PROMPT: "0" }),
      ...(index_file !== undefined && { GIT_INDEX_FILE: index_file }),
    },
    stdio: ["pipe", "pipe", "pipe"],
  });
  const stdout: Buffer[] = [];
  const stderr: Buffer[] = [];
  child.stdout?.on("data", (part: Buffer) => stdout.push(part));
  child.stderr?.on("data", (part: Buffer) => stderr.push(part));
  child.stdin?.on("error", () => {}); // it may end before it has read all
  child.stdin?.end(stdin);
  const exit_code = await new Promise<number | null>((resolve, reject) => {
    child.on("error", (cause: NodeJS.ErrnoException) => reject(notStarted(cause)));
    child.on("close", resolve);
  });
  return { exit_code, stdout: Buffer.concat(stdout), stderr: Buffer.concat(stderr).toString("utf8") };
}

/** What git wrote, when it ended well. @throws CliError `GIT_MISSING`, `GIT_FAILED` with what git said */
export async function git(
  directory: string,
  words: readonly string[],
  options: GitOptions = {},
): Promise<Buffer> {
  const run = await runGit(directory, words, options);
  if (run.exit_code === 0) return run.stdout;
  throw gitFailed(words[0] ?? "", run);
}

/** The first line that git wrote, as text. */
export async function gitLine(
  directory: string,
  words: readonly string[],
  options: GitOptions = {},
): Promise<string> {
  return (await git(directory, words, options)).toString("utf8").split("\n")[0] ?? "";
}

export function gitFailed(command: string, { stderr, exit_code }: GitRun): CliError {
  const lines = stderr.split("\n").filter((line) => line.trim() !== "");
  const message = `git ${command} ended with exit code ${exit_code}.`;
  return new CliError(exitCode.error, "GIT_FAILED", message, { hints: lines.slice(-12) });
}

function notStarted(cause: NodeJS.ErrnoException): CliError {
  if (cause.code !== "ENOENT") {
    return new CliError(exitCode.error, "GIT_FAILED", `git cannot be started: ${cause.message}`, { cause });
  }
  return new CliError(
    exitCode.usage,
    "GIT_MISSING",
    "A branch is made by git, which is not installed here.",
    {
      hints: ["Install git, or apply the patch to the working tree, which needs none: agents apply <task>"],
      cause,
    },
  );
}
