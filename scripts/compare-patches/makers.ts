import { chmod, mkdir, readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import type { PathOptions } from "#lib/code/diff/diff-path.ts";
import { type FileTree, file, writeFileTree } from "./file-tree.ts";
import { git, run } from "./git.ts";

/** A patch in one of the forms it may come in, and how it is to be applied. */
export interface PatchForm {
  patch: Buffer;
  /** Options of `git apply` that mean the same as `options` of ours. */
  git_args: string[];
  options: PathOptions;
  /** The patch carries everything, so that a tree other than the one it was made from is a fault. */
  is_complete: boolean;
}

/** The two trees as a repository (the later one staged) and side by side in `base` and `new`. */
export interface Workplace {
  repository: string;
  plain: string;
}

type Maker = (workplace: Workplace) => Promise<PatchForm>;

export async function makeWorkplace(root: string, before: FileTree, after: FileTree): Promise<Workplace> {
  const repository = join(root, "repository");
  await writeFileTree(repository, before);
  await git(repository, "init", "-q");
  await git(repository, "add", "-A", "-f");
  await git(repository, "commit", "-q", "-m", "base");
  for (const entry of await readdir(repository)) {
    if (entry !== ".git") await rm(join(repository, entry), { recursive: true });
  }
  await writeFileTree(repository, after);
  await git(repository, "add", "-A", "-f");
  const plain = join(root, "plain");
  await mkdir(plain);
  await writeFileTree(join(plain, "base"), before);
  await writeFileTree(join(plain, "new"), after);
  await chmod(plain, 0o755);
  return { repository, plain };
}

function form(patch: Buffer, more: Partial<PatchForm> = {}): PatchForm {
  return { patch, git_args: [], options: {}, is_complete: true, ...more };
}

const gitDiff =
  (args: string[], more: Partial<PatchForm> = {}): Maker =>
  async ({ repository }) =>
    form(await git(repository, "diff", "--cached", "--binary", ...args), more);

/** A change made by text: bytes stay as they are. */
const changed =
  (make: Maker, change: (text: string) => string, more: Partial<PatchForm> = {}): Maker =>
  async (workplace) => {
    const made = await make(workplace);
    return { ...made, patch: Buffer.from(change(made.patch.toString("latin1")), "latin1"), ...more };
  };

const plainDiff =
  (...args: string[]): Maker =>
  async ({ plain }) =>
    form((await run(plain, "diff", [...args, "base", "new"])).output, { is_complete: false });

/** Runs `work` with the change committed, and leaves it staged as before. */
async function committed(repository: string, work: () => Promise<Buffer>): Promise<Buffer> {
  const base = (await git(repository, "rev-parse", "HEAD")).toString().trim();
  await git(
    repository,
    "commit",
    "-q",
    "--allow-empty",
    "-m",
    "change: words\n\n- a list\n--- a/x\n-- \nend",
  );
  try {
    return await work();
  } finally {
    await git(repository, "reset", "-q", "--soft", base);
  }
}

const mail =
  (...args: string[]): Maker =>
  async ({ repository }) =>
    form(
      await committed(repository, () =>
        git(repository, "format-patch", "--stdout", "-1", "--binary", ...args),
      ),
    );

/** The change, then one that only adds a file, as two mails in one mbox. */
const mbox: Maker = async ({ repository }) => {
  const patch = await committed(repository, async () => {
    await writeFileTree(repository, new Map([["second.txt", file("2\n")]]));
    await git(repository, "add", "-f", "second.txt");
    await git(repository, "commit", "-q", "-m", "second");
    return git(repository, "format-patch", "--stdout", "-2", "--binary");
  });
  await git(repository, "rm", "-q", "-f", "second.txt");
  return form(patch, { is_complete: false });
};

/** What `svn diff` writes: names without prefixes, revisions after a tab, properties at the end. */
const svn: Maker = async ({ plain }) => {
  const { output } = await run(plain, "diff", ["-ruN", "--no-dereference", "base", "new"]);
  const text = output
    .toString("latin1")
    .replace(/^diff .*\n/gm, "")
    .replace(
      /^--- "?base\/(.*?)"?\t.*\n\+\+\+ "?new\/.*\t.*\n/gm,
      (_, name) =>
        `Index: ${name}\n${"=".repeat(67)}\n--- ${name}\t(revision 7)\n+++ ${name}\t(working copy)\n`,
    );
  const properties = `\nProperty changes on: x\n${"_".repeat(67)}\nAdded: svn:eol-style\n## -0,0 +1 ##\n+native\n\\ No newline at end of property\n`;
  const patch = Buffer.from(text === "" ? "" : text + properties, "latin1");
  return form(patch, { git_args: ["-p0"], options: { strip: 0 }, is_complete: false });
};

/** What `hg diff` writes without `--git`. */
const hg: Maker = changed(
  gitDiff(["--no-renames", "--text"]),
  (text) =>
    text
      .replace(/^(?:old mode|new mode|index|new file mode|deleted file mode) .*\n/gm, "")
      .replace(/^diff --git "?a\/(.*?)"? "?b\/.*$/gm, "diff -r 0123456789ab $1")
      .replace(/^(---|\+\+\+) (.*?)\t?$/gm, "$1 $2\tFri Jan 02 03:04:05 2026 +0000"),
  { is_complete: false },
);

const hgExport = (maker: Maker): Maker =>
  changed(maker, (text) => `# HG changeset patch\n# User Ann\n# Date 1 0\n# Node ID 0123\nwords\n\n${text}`);

const subdirectory: Maker = async ({ repository }) =>
  form(await git(repository, "diff", "--cached", "--binary", "--relative=src/"), {
    git_args: ["--directory=src"],
    options: { directory: "src" },
    is_complete: false,
  });

/** Every way to write a change down, by name. */
export const MAKERS: Record<string, Maker> = {
  "git diff": gitDiff([]),
  "git diff --full-index": gitDiff(["--full-index", "--patience"]),
  "git diff, no renames": gitDiff(["--no-renames"]),
  "git diff, renames": gitDiff(["-M30%"]),
  "git diff, copies": gitDiff(["-C", "--find-copies-harder"]),
  "git diff, broken pairs": gitDiff(["-B", "-M", "-C"]),
  "git diff -U0": gitDiff(["-U0"], { git_args: ["--unidiff-zero"] }),
  "git diff -U1": gitDiff(["-U1"]),
  "git diff -W": gitDiff(["-W"]),
  "git diff --no-prefix": gitDiff(["--no-prefix"], { git_args: ["-p0"] }),
  "git diff --no-prefix, strip 0": gitDiff(["--no-prefix"], { git_args: ["-p0"], options: { strip: 0 } }),
  "git diff, own prefixes": gitDiff(["--src-prefix=old/", "--dst-prefix=new/"]),
  "git diff -p2": gitDiff(["--src-prefix=a/x/", "--dst-prefix=b/x/"], {
    git_args: ["-p2"],
    options: { strip: 2 },
  }),
  "git diff without --binary": async ({ repository }) =>
    form(await git(repository, "diff", "--cached"), { is_complete: false }),
  "git diff --text": gitDiff(["--text"], { is_complete: false }),
  "git diff of a subdirectory": subdirectory,
  "git diff, quoted paths off": async ({ repository }) =>
    form(await git(repository, "-c", "core.quotePath=false", "diff", "--cached", "--binary")),
  "git diff, CRLF": changed(gitDiff([]), (text) => text.replace(/\r?\n/g, "\r\n"), { is_complete: false }),
  "git diff, byte order mark": changed(gitDiff([]), (text) => `\xef\xbb\xbf${text}`, { is_complete: false }),
  "git diff, no last newline": changed(gitDiff([]), (text) => text.replace(/\n$/, ""), {
    is_complete: false,
  }),
  "git diff in words": changed(gitDiff([]), (text) => `Please apply:\n\n${text}\nThank you,\nAnn\n`),
  "git show": async ({ repository }) =>
    form(await committed(repository, () => git(repository, "show", "--binary"))),
  mail: mail(),
  "mail, renames off": mail("--no-renames"),
  "mail, attached": mail("--attach"),
  "mail without signature": mail("--no-signature"),
  mbox,
  "diff -ruN": plainDiff("-ruN", "--no-dereference"),
  "diff -ruNa": plainDiff("-ruNa", "--no-dereference"),
  "diff -ru": plainDiff("-ru", "--no-dereference"),
  "diff -ruNp -U1": plainDiff("-rNp", "-U1", "--no-dereference"),
  "diff -rc": plainDiff("-rcN", "--no-dereference"),
  "diff -r": plainDiff("-rN", "--no-dereference"),
  "diff -re": plainDiff("-reN", "--no-dereference"),
  svn,
  hg,
  "hg --git": hgExport(gitDiff(["--full-index"])),
};
