import { rm } from "node:fs/promises";
import { join } from "node:path";
import { applyDiff } from "#lib/code/diff/apply-diff.ts";
import type { PathOptions } from "#lib/code/diff/diff-path.ts";
import { Fault } from "#lib/platform/errors/fault.ts";
import { differences, type FileTree, readFileTree, writeFileTree } from "./file-tree.ts";
import { gitApply, gitApplyMails } from "./git.ts";
import type { PatchForm } from "./makers.ts";

/**
 * How our result compares with that of `git apply`:
 * `same` tree · `refused` by both · `refused_here` with a code, taken by git · `taken_otherwise`:
 * refused by git as called, and the same tree in the way `LISTED` names · `other`: a fault.
 */
export type Outcome = "same" | "refused" | "refused_here" | "taken_otherwise" | "other";

export interface Comparison {
  outcome: Outcome;
  /** Our code, the way in which git takes it, or what is at fault. */
  detail: string;
}

/** Where we take what `git apply` refuses: what the patch says is clear, and git takes it when it is told so. */
const LISTED: { way: string; apply: (directory: string, form: PatchForm) => Promise<boolean> }[] = [
  {
    way: "git apply --unidiff-zero: a diff without context, at its stated lines",
    apply: (directory, { patch, git_args }) => gitApply(directory, patch, [...git_args, "--unidiff-zero"]),
  },
  {
    way: "git apply -p0: names without prefixes",
    apply: (directory, { patch }) => gitApply(directory, patch, ["-p0"]),
  },
  {
    way: "git apply -p0 --unidiff-zero: both",
    apply: (directory, { patch }) => gitApply(directory, patch, ["-p0", "--unidiff-zero"]),
  },
  {
    way: "git am: a series of mails, one after another",
    apply: (directory, { patch }) => gitApplyMails(directory, patch),
  },
];

/** Applies a patch to `before` by git and by ourselves, below `root`. */
export async function compare(
  root: string,
  before: FileTree,
  form: PatchForm,
  after: FileTree | undefined,
): Promise<Comparison> {
  const own = await attempt(join(root, "own"), before, (directory) =>
    applyOwn(directory, form.patch, form.options),
  );
  const by_git = await attempt(join(root, "git"), before, async (directory) =>
    (await gitApply(directory, form.patch, form.git_args)) ? undefined : "refused",
  );
  if (own.refusal?.startsWith("!")) return { outcome: "other", detail: own.refusal };
  if (own.refusal !== undefined) {
    const touched = differences(own.tree, before);
    if (touched.length > 0) return { outcome: "other", detail: `refused, yet ${touched.join(", ")} changed` };
    return { outcome: by_git.refusal === undefined ? "refused_here" : "refused", detail: own.refusal };
  }
  if (after !== undefined && form.is_complete) {
    const wrong = differences(own.tree, after);
    if (wrong.length > 0)
      return { outcome: "other", detail: `not what it was made from: ${wrong.join(", ")}` };
  }
  if (by_git.refusal === undefined) {
    const wrong = differences(own.tree, by_git.tree);
    return wrong.length === 0
      ? { outcome: "same", detail: "" }
      : { outcome: "other", detail: `another tree than git: ${wrong.join(", ")}` };
  }
  for (const { way, apply } of LISTED) {
    const told = await attempt(join(root, "told"), before, async (directory) =>
      (await apply(directory, form)) ? undefined : "refused",
    );
    if (told.refusal === undefined && differences(own.tree, told.tree).length === 0) {
      return { outcome: "taken_otherwise", detail: way };
    }
  }
  return { outcome: "other", detail: "taken here, refused by git" };
}

async function attempt(
  directory: string,
  before: FileTree,
  apply: (directory: string) => Promise<string | undefined>,
): Promise<{ refusal: string | undefined; tree: FileTree }> {
  await writeFileTree(directory, before);
  const refusal = await apply(directory);
  const tree = await readFileTree(directory);
  await rm(directory, { recursive: true, force: true });
  return { refusal, tree };
}

/** Our code when the patch is refused; what begins with `!` is no clear refusal. */
async function applyOwn(directory: string, patch: Buffer, options: PathOptions): Promise<string | undefined> {
  try {
    await applyDiff(directory, patch, options);
    return undefined;
  } catch (error) {
    return error instanceof Fault && error.disposition === "reject" ? error.code : `! ${String(error)}`;
  }
}
