import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createDiff } from "#lib/code/diff/create-diff.ts";
import { needing } from "#test/needing.ts";
import { type FakeApi, type FakeState, fakeState, problem, startFakeApi } from "../test/fakes/fake-api.ts";
import { at, fakeArtifacts, fakeView, TASK_ID } from "../test/fakes/fake-task.ts";
import { type FileTree, fileTreeOf, writeFileTree } from "../test/fakes/file-tree.ts";
import { runCli } from "../test/fakes/run-cli.ts";

const EVIL = "x\x1b]52;c;ZXZpbA==\x07\x1b[31m\u202e";
const BEFORE: FileTree = { "add.js": "a - b\n", "old.bin": Buffer.from([0, 1]), "run.sh": "#!/bin/sh\n" };
const AFTER: FileTree = { "add.js": `a + b\n${EVIL}\n`, "new.bin": Buffer.from([0, 1]), "run.sh": "x:\n" };
const SUMMARY = "# Make it add\n\nIt adds now.\n\n## How it was verified\n\nIt was.\n";
const ended = { status: "succeeded", verdict: "passed", ended_at: at(9) } as const;

let root: string;
let api: FakeApi;
const state: FakeState = fakeState();
let patch: string;
let trees = 0;
beforeAll(async () => {
  root = mkdtempSync(join(tmpdir(), "patch-commands-"));
  const before = writeFileTree(join(root, "before"), BEFORE);
  patch = (await createDiff(before, writeFileTree(join(root, "after"), AFTER))).bytes.toString("utf8");
  api = await startFakeApi(state);
});
afterAll(async () => {
  await api.stop();
  rmSync(root, { recursive: true, force: true });
});

function tell(
  fields: object = ended,
  files: Record<string, string> = { "codegen/diff.patch": patch, "codegen/summary.md": SUMMARY },
) {
  state.files = files;
  state.frames = [fakeView({ ...fields, artifacts: fakeArtifacts(files) })];
}
const newTree = () => writeFileTree(join(root, `tree-${trees++}`), BEFORE);
const run = (words: string[], options: Partial<Parameters<typeof runCli>[1]> = {}) =>
  runCli(words, { url: api.url, ...options });
const refusal = async (words: string[], options: Partial<Parameters<typeof runCli>[1]> = {}) => {
  const { code, stdout } = await run([...words, "--json"], options);
  return { exit: code, ...JSON.parse(stdout).error };
};

describe("agents diff", () => {
  it("writes the patch byte by byte into a pipe, and coloured and spelled out where colours are asked for", async () => {
    tell();
    expect((await run(["diff", TASK_ID])).stdout).toBe(patch);
    const { stdout } = await run(["diff", TASK_ID, "--color", "always"], { environment: { NO_COLOR: "1" } });
    expect(stdout).toContain("\x1b[31m-a - b\x1b[39m");
    expect(stdout).toContain("\x1b[32m+x\\x1b]52;c;ZXZpbA==\\x07\\x1b[31m\\u{202e}\x1b[39m");
  });

  it("goes through the pager on a terminal, which is told no control character of others", async () => {
    tell();
    const paged = { terminal: true, environment: { PAGER: "sed s/^/paged:/" } };
    const { stdout } = await run(["diff", TASK_ID], paged);
    expect(stdout.split("\n")[0]).toBe("paged:\x1b[1mdiff --git a/add.js b/add.js\x1b[22m");
    expect(stdout).toContain("paged:\x1b[32m+x\\x1b]52");
    const without = await run(["diff", TASK_ID, "--stat", "--color", "never"], {
      terminal: true,
      environment: { PAGER: "no-such-pager-here" },
    });
    expect(without.stdout).toContain(" add.js            | 3 ++-\n");
    expect(without.stdout).toContain(" 3 files changed, 3 insertions(+), 2 deletions(-)\n");
  });

  it("gives one JSON document, and says that a task did not pass", async () => {
    tell({
      ...ended,
      status: "failed",
      verdict: "failed",
      error: { code: "TESTS_FAILED", message: "1 of 2" },
    });
    const { stdout } = await run(["diff", TASK_ID, "--json"]);
    expect(JSON.parse(stdout)).toMatchObject({
      verdict: "failed",
      patch,
      files: [{ path: "add.js" }, {}, {}],
    });
    expect((await run(["diff", TASK_ID, "--stat"])).stderr).toContain("did not pass: TESTS_FAILED: 1 of 2.");
  });

  it("has a code for a task without a patch, one under way and one that is unknown", async () => {
    tell({ ...ended, workflow: "buildtest" }, {});
    expect(await refusal(["diff", TASK_ID])).toMatchObject({ exit: 1, code: "NO_PATCH" });
    tell({ status: "running" });
    const under_way = await refusal(["diff", TASK_ID]);
    expect(under_way).toMatchObject({ exit: 1, code: "TASK_UNDER_WAY" });
    expect(under_way.hints[0]).toContain("--wait");
    const body = problem(404, "TASK_NOT_FOUND", "there is no such task");
    state.answers = { [`GET /api/tasks/${TASK_ID}`]: { status: 404, body } };
    expect(await refusal(["diff", TASK_ID])).toMatchObject({ exit: 2, code: "TASK_NOT_FOUND" });
    state.answers = {};
  });
});

describe("agents apply", () => {
  it("shows the patch and applies it, without git, and knows that it did", async () => {
    tell();
    const cwd = newTree();
    const bare = { cwd, environment: { PATH: "/nonexistent" } };
    const { code, stdout } = await run(["apply", TASK_ID, "--yes"], bare);
    expect(stdout).toContain("+a + b");
    expect(code).toBe(0);
    expect(await fileTreeOf(cwd)).toEqual(await fileTreeOf(join(root, "after")));
    const again = await run(["apply", TASK_ID], bare);
    expect(again).toMatchObject({
      code: 0,
      stdout: expect.stringContaining("already. Nothing was changed."),
    });
    expect(await refusal(["apply", TASK_ID, "--yes", "--branch", "x"], bare)).toMatchObject({
      code: "GIT_MISSING",
    });
  });

  it("asks, and changes nothing where nobody can be asked, or files differ", async () => {
    tell();
    const cwd = newTree();
    const { code, stderr } = await run(["apply", TASK_ID, "--stat"], { cwd });
    expect({ code, stderr }).toMatchObject({ code: 2, stderr: expect.stringContaining("--yes") });
    writeFileSync(join(cwd, "add.js"), "mine\n");
    rmSync(join(cwd, "run.sh"));
    const differing = await refusal(["apply", TASK_ID, "--yes"], { cwd });
    expect(differing).toMatchObject({ exit: 1, code: "FILES_DIFFER" });
    expect(differing.hints.slice(0, 2)).toEqual(["add.js has other content", "run.sh is missing"]);
    expect(readFileSync(join(cwd, "old.bin"))).toHaveLength(2);
  });

  it("takes a task that did not pass only by force, and says why", async () => {
    tell({
      ...ended,
      status: "failed",
      verdict: "failed",
      error: { code: "TESTS_FAILED", message: "1 of 2" },
    });
    const cwd = newTree();
    const refused = await refusal(["apply", TASK_ID, "--yes"], { cwd });
    expect(refused).toMatchObject({ exit: 1, code: "VERDICT_NOT_PASSED" });
    expect(refused.message).toContain("TESTS_FAILED: 1 of 2");
    const { stdout } = await run(["apply", TASK_ID, "--yes", "--force", "--json"], { cwd });
    expect(JSON.parse(stdout)).toMatchObject({ applied: 4, directory: cwd });
  });
});

(await needing("git")).describe("a branch", () => {
  const own = {
    HOME: "/nonexistent",
    GIT_CONFIG_NOSYSTEM: "1",
    ...{
      GIT_AUTHOR_NAME: "N",
      GIT_AUTHOR_EMAIL: "n@x.test",
      GIT_COMMITTER_NAME: "N",
      GIT_COMMITTER_EMAIL: "n@x.test",
    },
  };
  const gitIn = (directory: string, ...words: string[]) =>
    execFileSync("git", words, {
      cwd: directory,
      env: { PATH: process.env.PATH, ...own },
      stdio: ["ignore", "pipe", "ignore"],
    }).toString();

  function newRepository(below = ""): string {
    const directory = join(root, `repository-${trees++}`);
    writeFileTree(join(directory, below), BEFORE);
    gitIn(directory, "init", "--quiet", "--initial-branch", "main");
    gitIn(directory, "add", "--all");
    gitIn(directory, "commit", "--quiet", "--message", "one");
    return directory;
  }

  it("gets one commit with the summary, and the working tree stays as it is", async () => {
    tell();
    const repository = newRepository("packages/a");
    const cwd = join(repository, "packages/a");
    // Programs of the repository's configuration, none of which may run.
    for (const name of ["core.fsmonitor", "core.pager", "core.editor"])
      gitIn(cwd, "config", name, `touch ${root}/ran`);
    writeFileSync(join(repository, ".git/hooks/reference-transaction"), `#!/bin/sh\ntouch ${root}/ran\n`, {
      mode: 0o755,
    });
    writeFileSync(join(cwd, "add.js"), "under my hands\n");
    const status = gitIn(cwd, "-c", "core.fsmonitor=false", "status", "--porcelain");
    const environment = { ...own, GIT_INDEX_FILE: "/nonexistent/index", GIT_DIR: "/nonexistent" };
    const made = await run(["apply", TASK_ID, "--branch", "fix/it", "--yes", "--stat"], { cwd, environment });
    expect(made, made.stderr).toMatchObject({
      code: 0,
      stdout: expect.stringContaining("Committed on fix/it"),
    });
    expect(gitIn(cwd, "log", "-1", "--format=%B", "fix/it")).toBe(
      `Make it add\n\nIt adds now.\n\n## How it was verified\n\nIt was.\n\nAgents-Task: ${TASK_ID}\n\n`,
    );
    gitIn(repository, "clone", "--quiet", "--branch", "fix/it", repository, join(root, "clone"));
    expect(await fileTreeOf(join(root, "clone/packages/a"))).toEqual(await fileTreeOf(join(root, "after")));
    expect(gitIn(cwd, "-c", "core.fsmonitor=false", "status", "--porcelain")).toBe(status);
    expect(() => readFileSync(join(root, "ran"))).toThrow("ENOENT");
    const options = { cwd, environment };
    expect(await refusal(["apply", TASK_ID, "--branch", "fix/it", "--yes"], options)).toMatchObject({
      exit: 2,
      code: "BRANCH_EXISTS",
    });
    expect(await refusal(["apply", TASK_ID, "--branch", "a..b", "--yes"], options)).toMatchObject({
      exit: 2,
      code: "USAGE",
    });
  });

  it("is refused outside a repository, and where HEAD is not what the task was given", async () => {
    tell();
    const words = ["apply", TASK_ID, "--branch", "x", "--yes"];
    expect(await refusal(words, { cwd: newTree(), environment: own })).toMatchObject({
      exit: 2,
      code: "NOT_A_REPOSITORY",
    });
    const cwd = newRepository();
    writeFileSync(join(cwd, "add.js"), "other\n");
    gitIn(cwd, "commit", "--all", "--quiet", "--message", "two");
    const differing = await refusal(words, { cwd, environment: own });
    expect(differing).toMatchObject({ exit: 1, code: "FILES_DIFFER" });
    expect(differing.message).toContain("In HEAD 1 file differs");
    expect(gitIn(cwd, "branch", "--list", "x")).toBe("");
  });

  it("is pushed by agents pr, once more when it was pushed already, and its forge's address printed", async () => {
    tell();
    const cwd = newRepository();
    const bare = join(root, "bare.git");
    gitIn(root, "init", "--quiet", "--bare", bare);
    gitIn(cwd, "remote", "add", "origin", bare);
    const printed = await run(["pr", TASK_ID], { cwd });
    expect(printed.stdout).toBe("Make it add\n\nIt adds now.\n\n## How it was verified\n\nIt was.\n");
    const environment = own;
    tell(ended, { "codegen/diff.patch": patch, "codegen/summary.md": `# ${EVIL}\n\n${EVIL}\n` });
    const shown = (await run(["pr", TASK_ID], { cwd, terminal: true })).stdout;
    expect(shown).toContain("x\\x1b]52;c;ZXZpbA==\\x07\\x1b[31m\\u{202e}\n");
    expect(shown).not.toMatch(/\p{Cc}\]52/u);
    tell();
    for (const _time of [1, 2]) {
      const { stdout, stderr } = await run(["pr", TASK_ID, "--push", "origin"], { cwd, environment });
      expect(stdout, stderr).toMatch(new RegExp(`^Pushed agents/${TASK_ID} \\([0-9a-f]{12}\\) to origin\n$`));
    }
    expect(gitIn(bare, "log", "--format=%s", `agents/${TASK_ID}`)).toBe("Make it add\none\n");
    gitIn(cwd, "remote", "add", "hub", "git@github.com:acme/shop.git");
    const ssh = join(root, "ssh");
    writeFileSync(ssh, `#!/bin/sh\nexec git-receive-pack ${bare}\n`, { mode: 0o755 });
    const hub = ["pr", TASK_ID, "--push", "hub", "--branch", "fix/it", "--json"];
    const pushed = await run(hub, { cwd, environment: { ...environment, GIT_SSH: ssh } });
    expect(JSON.parse(pushed.stdout)).toMatchObject({
      title: "Make it add",
      branch: "fix/it",
      compare_url: "https://github.com/acme/shop/compare/fix/it?expand=1",
    });
    expect(await refusal(["pr", TASK_ID, "--push", "nope"], { cwd, environment })).toMatchObject({
      exit: 2,
      code: "REMOTE_UNKNOWN",
    });
    rmSync(bare, { recursive: true });
    const failed = await refusal(["pr", TASK_ID, "--push", "origin"], { cwd, environment });
    expect(failed).toMatchObject({ exit: 3, code: "GIT_FAILED" });
    expect(failed.hints.join("\n")).toContain("does not appear to be a git repository");
  });
});
