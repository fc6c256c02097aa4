import type { FileMode } from "#lib/code/diff/file-diff.ts";
import { pathUnsafe } from "#lib/code/diff/file-diff.ts";
import type { DiskKind, FileState } from "#lib/code/diff/read-tree.ts";
import { ancestorsOf } from "#lib/code/tree/tree-path.ts";
import { CliError, UsageError } from "../cli-error.ts";
import { exitCode } from "../exit-code.ts";
import type { PatchBase } from "../patch/patch-base.ts";
import { git, gitFailed, gitLine, runGit } from "./run-git.ts";

/** A git repository with a work tree, and the commit that is checked out. */
export interface Repository {
  /** Where the patch's paths begin: the work tree's root, or a directory of it. */
  directory: string;
  root: string;
  /** From the root to `directory`, empty or with a slash at its end. */
  prefix: string;
  /** Id of the commit. */
  head: string;
}

/** @throws CliError `NOT_A_REPOSITORY`, `GIT_MISSING`, `GIT_FAILED` */
export async function openRepository(directory: string): Promise<Repository> {
  const shown = await runGit(directory, ["rev-parse", "--is-inside-work-tree"]);
  if (shown.exit_code !== 0 && !/not a git repository/i.test(shown.stderr))
    throw gitFailed("rev-parse", shown);
  if (shown.stdout.toString().trim() !== "true") {
    throw new CliError(exitCode.usage, "NOT_A_REPOSITORY", `${directory} is not in a git work tree.`, {
      hints: ["Run it in a clone, or apply the patch to the directory: agents apply <task>"],
    });
  }
  const head = await runGit(directory, ["rev-parse", "--verify", "--quiet", "HEAD^{commit}"]);
  if (head.exit_code !== 0) {
    const message = "The repository has no commit yet, so there is none to make a branch from.";
    throw new CliError(exitCode.usage, "NOT_A_REPOSITORY", message, { hints: ["Commit the source first."] });
  }
  return {
    directory,
    root: await gitLine(directory, ["rev-parse", "--show-toplevel"]),
    prefix: await gitLine(directory, ["rev-parse", "--show-prefix"]),
    head: head.stdout.toString().trim(),
  };
}

/** @throws UsageError when no branch can have the name */
export async function checkBranchName(directory: string, name: string): Promise<void> {
  const checked = await runGit(directory, ["check-ref-format", `refs/heads/${name}`]);
  if (checked.exit_code === 0 && !name.startsWith("-") && name !== "HEAD") return;
  throw new UsageError(`No branch can be called ${JSON.stringify(name)}.`, "Give a name as git takes it.");
}

/** The commit that a branch is at; undefined when there is no such branch. */
export async function branchTip({ root }: Repository, name: string): Promise<string | undefined> {
  const found = await runGit(root, ["rev-parse", "--verify", "--quiet", `refs/heads/${name}^{commit}`]);
  return found.exit_code === 0 ? found.stdout.toString().trim() : undefined;
}

interface TreeEntry {
  mode: string;
  id: string;
}

/** The tree of the commit that is checked out, below the repository's directory. */
export async function commitTree({ directory, head }: Repository): Promise<PatchBase> {
  const listed = (await git(directory, ["ls-tree", "-r", "-z", head])).toString("utf8");
  const entries = new Map<string, TreeEntry>();
  const directories = new Set<string>();
  for (const line of listed.split("\0")) {
    const [, mode, id, path] = /^(\d+) \w+ ([0-9a-f]+)\t([\s\S]+)$/.exec(line) ?? [];
    if (mode === undefined || id === undefined || path === undefined) continue;
    entries.set(path, { mode, id });
    for (const ancestor of ancestorsOf(path)) directories.add(ancestor);
  }
  const kindOf = (path: string): DiskKind => {
    const mode = entries.get(path)?.mode;
    // A submodule is a directory with nothing of this repository in it.
    if (directories.has(path) || mode === "160000") return "directory";
    if (mode === undefined) return "missing";
    return mode === "120000" ? "link" : "file";
  };
  const contentOf = (id: string) => git(directory, ["cat-file", "blob", id]);
  return {
    name: "HEAD",
    kind: async (path) => kindOf(path),
    async read(path): Promise<FileState | undefined> {
      for (const ancestor of ancestorsOf(path)) {
        const kind = kindOf(ancestor);
        if (kind === "link") {
          throw pathUnsafe(path, `lies beyond the symbolic link ${JSON.stringify(ancestor)}`);
        }
        if (kind !== "directory") return undefined;
      }
      const entry = entries.get(path);
      if (entry === undefined || entry.mode === "160000") return undefined;
      return { mode: entry.mode as FileMode, bytes: await contentOf(entry.id) };
    },
    below: async (path) =>
      [...entries.keys()].filter((other) => other === path || other.startsWith(`${path}/`)),
    async links() {
      const links = new Map<string, string>();
      for (const [path, { mode, id }] of entries) {
        if (mode === "120000") links.set(path, (await contentOf(id)).toString("utf8"));
      }
      return links;
    },
  };
}
