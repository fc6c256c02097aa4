import { execFile, spawnSync } from "node:child_process";
import { mkdir, readdir, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";

const OUTPUT_BYTES_MAX = 256 * 1024 * 1024;

export function hasCommand(name: "git" | "diff"): boolean {
  return spawnSync(name, ["--version"]).status === 0;
}

/** Runs a program in `directory` without anything of the user's configuration. */
export function run(
  directory: string,
  program: string,
  args: readonly string[],
): Promise<{ code: number; output: Buffer; error: string }> {
  const env = {
    PATH: process.env.PATH ?? "/usr/local/bin:/usr/bin:/bin:/opt/homebrew/bin",
    LC_ALL: "C",
    TZ: "Europe/Berlin",
    GIT_CEILING_DIRECTORIES: dirname(directory),
    GIT_CONFIG_NOSYSTEM: "1",
    GIT_CONFIG_GLOBAL: "/dev/null",
    GIT_AUTHOR_NAME: "Ann",
    GIT_AUTHOR_EMAIL: "ann@example.org",
    GIT_COMMITTER_NAME: "Ann",
    GIT_COMMITTER_EMAIL: "ann@example.org",
    GIT_AUTHOR_DATE: "2026-01-02T03:04:05Z",
    GIT_COMMITTER_DATE: "2026-01-02T03:04:05Z",
  };
  const options = { cwd: directory, env, encoding: "buffer", maxBuffer: OUTPUT_BYTES_MAX } as const;
  return new Promise((resolve) => {
    execFile(program, args, options, (error, output, stderr) => {
      const code = typeof error?.code === "number" ? error.code : error ? -1 : 0;
      resolve({ code, output, error: stderr.toString() });
    });
  });
}

/** The output of a git command that must succeed. */
export async function git(directory: string, ...args: string[]): Promise<Buffer> {
  const { code, output, error } = await run(directory, "git", args);
  if (code !== 0) throw new Error(`git ${args.join(" ")}: ${error}`);
  return output;
}

/** Applies a patch as a user would; false when git refuses it. */
export async function gitApply(directory: string, patch: Buffer, args: readonly string[]): Promise<boolean> {
  const file = `${directory}.patch`;
  await writeFile(file, patch);
  const { code } = await run(directory, "git", ["apply", "--whitespace=nowarn", ...args, file]);
  return code === 0;
}

/** Applies the mails of an mbox one after another, as `git am` does. */
export async function gitApplyMails(directory: string, patch: Buffer): Promise<boolean> {
  const mails = `${directory}.mails`;
  await rm(mails, { recursive: true, force: true });
  await mkdir(mails);
  const file = `${directory}.mbox`;
  await writeFile(file, patch);
  const split = await run(directory, "git", ["mailsplit", `-o${mails}`, file]);
  if (split.code !== 0) return false;
  for (const mail of (await readdir(mails)).sort()) {
    const { code } = await run(directory, "git", ["apply", "--whitespace=nowarn", join(mails, mail)]);
    if (code !== 0) return false;
  }
  return true;
}
