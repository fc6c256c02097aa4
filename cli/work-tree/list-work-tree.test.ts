import { execFileSync } from "node:child_process";
import { chmodSync, existsSync, mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import fc from "fast-check";
import { afterEach, describe, expect, it } from "vitest";
import { temporaryDirectory } from "#test/temporary.ts";
import { type FakeApi, fakeState, startFakeApi } from "../../test/fakes/fake-api.ts";
import { fakeView } from "../../test/fakes/fake-task.ts";
import { runCli } from "../../test/fakes/run-cli.ts";
import { trackedPaths } from "./git-index.ts";
import { compileGlob } from "./glob.ts";
import { listWorkTree } from "./list-work-tree.ts";

const FILES_MAX = 10_000;
/** So that nothing of this machine's own configuration counts. */
const ENVIRONMENT = {
  PATH: process.env.PATH,
  HOME: "/nonexistent",
  GIT_CONFIG_NOSYSTEM: "1",
  GIT_AUTHOR_NAME: "a",
  GIT_AUTHOR_EMAIL: "a@example.org",
  GIT_COMMITTER_NAME: "a",
  GIT_COMMITTER_EMAIL: "a@example.org",
};

function git(directory: string, ...words: string[]): string {
  return execFileSync("git", ["-C", directory, ...words], { env: ENVIRONMENT, encoding: "utf8" });
}

function write(root: string, files: Record<string, string>): void {
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(root, name)), { recursive: true });
    writeFileSync(join(root, name), text);
  }
}

function repository(files: Record<string, string>): string {
  const root = temporaryDirectory("agents-tree");
  write(root, files);
  git(root, "init", "-q");
  return root;
}

async function ours(directory: string): Promise<string[]> {
  return ((await listWorkTree(directory, FILES_MAX)) ?? []).sort();
}

/** What git itself lists, without what was deleted and without the directories of other repositories. */
function gits(directory: string): string[] {
  const listed = git(directory, "ls-files", "--cached", "--others", "--exclude-standard", "-z").split("\0");
  const present = listed.filter(
    (path) => path !== "" && !path.endsWith("/") && existsSync(join(directory, path)),
  );
  return [...new Set(present)].sort();
}

describe("listWorkTree", () => {
  it("lists what git lists: nested rules, negation, tracked files that are ignored, other repositories", async () => {
    const root = repository({
      ".gitignore": "# build\n*.log\n/out/\n!keep.log\ntmp\nspaced\\ \ntrailing  \n\\#x\n\\!y\n*.[oa]\n",
      "a.log": "",
      "keep.log": "",
      "out/kept.txt": "",
      "out/more.txt": "",
      "src/.gitignore": "!a.log\n/gen\ndeep/**/x.js\n",
      "src/a.log": "",
      "src/gen/b.js": "",
      "src/sub/gen/c.js": "",
      "src/deep/x.js": "",
      "src/deep/1/2/x.js": "",
      "tmp/x": "",
      "spaced ": "",
      trailing: "",
      "#x": "",
      "!y": "",
      "m.o": "",
      "other/f.js": "",
      "Grüße.txt": "",
    });
    git(join(root, "other"), "init", "-q");
    git(root, "add", "-f", "out/kept.txt", "a.log");
    expect(await ours(root)).toEqual(gits(root));
    expect(await ours(join(root, "src"))).toEqual(gits(join(root, "src")));
    expect(await ours(join(root, "out"))).toEqual(["kept.txt"]);
    expect(await listWorkTree(join(root, "tmp"), FILES_MAX)).toBeUndefined();
  });

  it("knows a submodule's and a further work tree's .git file, and info/exclude", async () => {
    const root = repository({ "a.js": "", "b.tmp": "", ".git-exclude": "" });
    write(root, { ".git/info/exclude": "*.tmp\n" });
    git(root, "add", ".");
    git(root, "commit", "-q", "-m", "a");
    const tree = join(temporaryDirectory("agents-tree"), "tree");
    git(root, "worktree", "add", "-q", tree);
    write(tree, { "c.tmp": "", "d.js": "" });
    expect(await ours(tree)).toEqual(gits(tree));
    expect(await ours(tree)).toContain("d.js");
  });

  it("lists what git lists, for any rules", async () => {
    const name = fc.constantFrom("a", "b", "ab", "a.b", "a b", "é", "[x]");
    const path = fc.array(name, { minLength: 1, maxLength: 4 }).map((parts) => parts.join("/"));
    const glob = fc.constantFrom(
      "a",
      "b",
      "*",
      "?",
      "**",
      "**/",
      "/",
      "/**",
      "[ab]",
      "[!a]",
      "[^b-]",
      "\\a",
      ".",
      "é",
      " ",
    );
    const rule = fc
      .tuple(
        fc.constantFrom("", "", "!", "/"),
        fc.array(glob, { minLength: 1, maxLength: 5 }),
        fc.constantFrom("", "/"),
      )
      .map(([before, parts, after]) => `${before}${parts.join("")}${after}`)
      // Two differences that are left: by `b**/**` git ignores `bx` too, and by `b**//` a directory `b`.
      .filter((line) => !/[^/]\*\*\/\*\*|\/\//.test(line));
    const rules = fc.array(rule, { maxLength: 4 }).map((lines) => `${lines.join("\n")}\n`);
    await fc.assert(
      fc.asyncProperty(
        fc.array(path, { minLength: 1, maxLength: 8 }),
        rules,
        rules,
        async (paths, above, below) => {
          const root = temporaryDirectory("agents-tree");
          for (const file of paths) {
            try {
              write(root, { [file]: "" });
            } catch {
              // It is a directory already, or lies below a file.
            }
          }
          write(root, { ".gitignore": above, "sub/.gitignore": below, "sub/a/b": "", "sub/ab": "" });
          git(root, "init", "-q");
          expect(await ours(root)).toEqual(gits(root));
        },
      ),
      { numRuns: 60 },
    );
  }, 120_000);

  it("takes time in proportion, whatever the rules", () => {
    const began = performance.now();
    expect(compileGlob(`${"*a".repeat(60)}b`)("a".repeat(4000))).toBe(false);
    expect(compileGlob(`${"**/a/".repeat(60)}b`)("a/".repeat(2000))).toBe(false);
    expect(performance.now() - began).toBeLessThan(30_000);
  });
});

describe("trackedPaths", () => {
  it.each([
    ["version 2", ["--index-version", "2"]],
    ["version 4, whose paths share prefixes", ["--index-version", "4"]],
    ["version 3, with an entry of intent to add", []],
  ])("reads an index of %s", (_what, options) => {
    const files = { "a/b/c.js": "", "a/b/d.js": "", "a/e.js": "", f: "", ["g".repeat(200)]: "" };
    const root = repository(files);
    git(root, "add", ".");
    if (options.length > 0) git(root, "update-index", ...options);
    else {
      write(root, { later: "" });
      git(root, "add", "-N", "later");
    }
    const listed = git(root, "ls-files", "-z")
      .split("\0")
      .filter((path) => path !== "");
    expect([...trackedPaths(join(root, ".git/index"))].sort()).toEqual(listed.sort());
  });

  it("reads an index of a repository with SHA-256", () => {
    const root = temporaryDirectory("agents-tree");
    write(root, { "a.js": "", "b/c.js": "" });
    git(root, "init", "-q", "--object-format=sha256");
    git(root, "add", ".");
    expect([...trackedPaths(join(root, ".git/index"))].sort()).toEqual(["a.js", "b/c.js"]);
  });

  it.each(["", "DIRC", "DIRC\0\0\0\x02\xff\xff\xff\xff", "x".repeat(200)])(
    "refuses %j, and says how to go on",
    (text) => {
      const file = join(temporaryDirectory("agents-index"), "index");
      writeFileSync(file, text, "latin1");
      expect(() => trackedPaths(file)).toThrow(/cannot be read/);
    },
  );

  it("refuses an index whose entries are in another file", () => {
    const root = repository({ "a.js": "" });
    git(root, "add", ".");
    git(root, "update-index", "--split-index");
    expect(() => trackedPaths(join(root, ".git/index"))).toThrow(/cannot be read/);
  });
});

describe("a directory that somebody else has made", () => {
  const running: FakeApi[] = [];
  afterEach(async () => {
    for (const api of running.splice(0)) await api.stop();
  });

  const marker = join(temporaryDirectory("agents-marker"), "ran");
  const program = join(dirname(marker), "git");
  writeFileSync(program, `#!/bin/sh\ntouch ${marker}\n`);
  chmodSync(program, 0o755);

  const CONFIGURATIONS: [what: string, config: string, files?: Record<string, string>][] = [
    ["core.fsmonitor", `[core]\n\tfsmonitor = ${program}\n`],
    [
      "core.hooksPath",
      "[core]\n\thooksPath = hooks\n",
      { "hooks/post-index-change": `#!/bin/sh\ntouch ${marker}\n` },
    ],
    [
      "a filter",
      `[filter "x"]\n\tclean = ${program}\n\tsmudge = ${program}\n\tprocess = ${program}\n`,
      { ".gitattributes": "* filter=x diff=x\n" },
    ],
    [
      "diff.external and textconv",
      `[diff]\n\texternal = ${program}\n[diff "x"]\n\ttextconv = ${program}\n\tcommand = ${program}\n`,
    ],
    [
      "core.pager, editor and an alias",
      `[core]\n\tpager = ${program}\n\teditor = ${program}\n[alias]\n\tls-files = !${program}\n[pager]\n\tls-files = ${program}\n`,
    ],
    [
      "a partial clone over ssh",
      `[core]\n\trepositoryformatversion = 1\n\tsshCommand = ${program}\n\tgitProxy = ${program}\n[extensions]\n\tpartialClone = origin\n[remote "origin"]\n\turl = ssh://example.test/x\n\tpromisor = true\n\tuploadpack = ${program}\n`,
    ],
    [
      "a credential helper",
      `[credential]\n\thelper = !${program}\n[remote "origin"]\n\turl = https://example.test/x\n`,
    ],
    ["include.path", "[include]\n\tpath = ../evil\n", { evil: `[core]\n\tfsmonitor = ${program}\n` }],
    ["another work tree", "[core]\n\tworktree = /etc\n"],
    [
      "a submodule's command",
      `[submodule "x"]\n\tupdate = !${program}\n`,
      { ".gitmodules": `[submodule "x"]\n\tpath = x\n\turl = ext::${program}\n` },
    ],
  ];

  it.each(CONFIGURATIONS)("runs nothing for %s", async (_what, config, files = {}) => {
    const root = repository({ "a.js": "a", ...files });
    git(root, "add", ".");
    for (const name of ["hooks/post-index-change"]) if (name in files) chmodSync(join(root, name), 0o755);
    write(root, { ".git/config": config });
    const api = await startFakeApi(fakeState({ frames: [fakeView()] }));
    running.push(api);
    const run = await runCli(["submit", root, "--test", "true"], {
      url: api.url,
      environment: {
        PATH: `${dirname(program)}:/usr/local/bin:/usr/bin:/bin`,
        GIT_DIR: join(root, ".git"),
        GIT_WORK_TREE: "/etc",
        GIT_EXTERNAL_DIFF: program,
        GIT_SSH_COMMAND: program,
        GIT_PAGER: program,
      },
    });
    expect(run.code).toBe(0);
    expect(run.stdout).toContain("Sent ");
    expect(existsSync(marker)).toBe(false);
  });

  it("packs nothing from outside of it, whatever its index and links say", async () => {
    const outside = temporaryDirectory("agents-outside");
    write(outside, { secret: "s" });
    const root = repository({ "d/secret": "", "a.js": "" });
    git(root, "add", ".");
    execFileSync("rm", ["-r", join(root, "d")]);
    symlinkSync(outside, join(root, "d"));
    expect(await ours(root)).toEqual(["a.js", "d"]);
  });
});
