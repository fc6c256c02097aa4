import { execFileSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import { temporaryDirectory } from "#test/temporary.ts";
import {
  FAKE_KEY,
  type FakeApi,
  type FakeState,
  fakeState,
  problem,
  startFakeApi,
} from "../test/fakes/fake-api.ts";
import { at, fakeArtifacts, fakeStep, fakeView, TASK_ID, TRACE_ID } from "../test/fakes/fake-task.ts";
import { runCli } from "../test/fakes/run-cli.ts";

const running: FakeApi[] = [];
async function start(state: FakeState, port?: number): Promise<FakeApi> {
  const api = await startFakeApi(state, port);
  running.push(api);
  return api;
}
afterEach(async () => {
  for (const api of running.splice(0)) await api.stop();
});

function directory(files: Record<string, string | Buffer>): string {
  const path = temporaryDirectory("agents-cli");
  for (const [name, text] of Object.entries(files)) writeFileSync(join(path, name), text);
  return path;
}

const SUMMARY = JSON.stringify({
  verdict: "failed",
  code: "TESTS_FAILED",
  reason: "1 of 12 tests failed.",
  isolation: "full",
  test_format: "tap",
  tests_passed: 11,
  tests_failed: 1,
  tests_skipped: 0,
  first_failure: "a Monday is a working day\n0 !== 1",
  duration_ms: 900,
});
const FILES = {
  "build-test/summary.json": SUMMARY,
  "build-test/test.log": "not ok 12\n",
  "build-test/build.log": "",
};

const counts = { tests_passed: 11, tests_failed: 1, tests_skipped: 0 };
const failedStep = (round: number) =>
  fakeStep("buildtest", { round, verdict: "failed", code: "TESTS_FAILED", output: counts });
const failed = () =>
  fakeView({
    status: "failed",
    verdict: "failed",
    error: { code: "TESTS_FAILED", message: "1 of 12 tests failed.", step: "buildtest" },
    ended_at: at(9),
    steps: [fakeStep("codegen"), failedStep(0), fakeStep("codegen", { round: 1 }), failedStep(1)],
    artifacts: fakeArtifacts(FILES),
  });
const passed = () =>
  fakeView({ status: "succeeded", verdict: "passed", ended_at: at(4.2), steps: [fakeStep("codegen")] });
const underWay = () => fakeView({ steps: [fakeStep("codegen", { status: "running" })] });

describe("agents submit", () => {
  it("sends a directory and shows each step once as it changes, then the verdict", async () => {
    const state = fakeState({ frames: [fakeView({ status: "accepted" }), underWay(), passed()] });
    const api = await start(state);
    const source = directory({ "a.js": "1\n" });
    const run = await runCli(["submit", source, "--test", "npm test", "--wait"], { url: api.url });
    expect(run).toMatchObject({ code: 0, stderr: "" });
    expect(run.stdout).toMatch(/Sent .*\(1 file\), \d+ B/);
    expect(run.stdout.match(/· codegen +.*running/g)).toHaveLength(1);
    expect(run.stdout.match(/✓ codegen +1\.0 s/g)).toHaveLength(1);
    expect(run.stdout).toContain("✓ passed in 4.2 s");
    expect(run.stdout).not.toContain("\x1b");
    const submission = JSON.parse(state.requests.find(({ path }) => path === "/api/tasks")?.body ?? "");
    expect(submission).toMatchObject({ workflow: "buildtest", test: "npm test" });
    expect(state.uploads.has(submission.source.upload_id)).toBe(true);
  });

  it("ends with 1, the failing reason, the first failure, repair rounds and links when the work failed", async () => {
    const state = fakeState({ frames: [fakeView(), failed()], files: FILES });
    const api = await start(state);
    const patch = join(directory({ "f.diff": "--- a\n+++ b\n" }), "f.diff");
    const source = directory({ "a.js": "1\n" });
    const run = await runCli(["submit", source, "--patch", patch, "--test", "t", "--wait"], { url: api.url });
    expect(run.code).toBe(1);
    expect(run.stdout).toContain("✗ failed in 9.0 s");
    expect(run.stdout).toContain("TESTS_FAILED: 1 of 12 tests failed. (step buildtest)");
    expect(run.stdout).toContain("Tests: 11 passed, 1 failed");
    expect(run.stdout).toContain("│ 0 !== 1");
    expect(run.stdout).toContain("buildtest, repair 1");
    expect(run.stdout).toContain(`${api.url}/artifacts/${TASK_ID}/build-test/test.log`);
  });

  it("ends with 3 when the platform is at fault", async () => {
    const error = { code: "ATTEMPTS_EXHAUSTED", message: "Five attempts failed." };
    const view = fakeView({ status: "failed", verdict: "error", error, ended_at: at(1) });
    const api = await start(fakeState({ frames: [view] }));
    const run = await runCli(["status", TASK_ID, "--wait"], { url: api.url });
    expect(run.code).toBe(3);
    expect(run.stdout).toContain("ATTEMPTS_EXHAUSTED: Five attempts failed.");
  });

  it("says what to add when there is nothing to do, and sends nothing", async () => {
    const state = fakeState();
    const api = await start(state);
    const run = await runCli(["submit", directory({ a: "" })], { url: api.url });
    expect(run).toMatchObject({ code: 2, stdout: "" });
    expect(run.stderr).toContain('Add --test "npm test"');
    expect(state.requests).toEqual([]);
  });

  it.each([
    [["submit", ".", "--test", "t", "--deadline", "soon"], "Give a whole number"],
    [["submit", ".", "--patch", "a", "--prompt", "b", "--test", "t"], "Give one of --patch"],
    [["submit", ".", "--agent", "aider", "--test", "t"], "--agent says who makes the change of a --prompt"],
    [["submit", ".", "--agent", "No!", "--prompt", "p", "--test", "t"], "small letters"],
    [["submit", ".", "--patch", "/nowhere.diff", "--test", "t"], "/nowhere.diff"],
    [["submit", ".", "--patch", "a", "--strip", "-1", "--test", "t"], "Give a whole number from 0 to 99"],
    [["submit", "/nowhere", "--test", "t"], "There is no /nowhere."],
    [["submit", "git@host:a/b", "--test", "t"], "http(s) URL"],
    [["submit", ".", "--git", "https://host.test/a", "--test", "t"], "There are two sources."],
    [["submit", "--test", "t"], "There is no source."],
    [["submit", ".", "--tset", "t"], "--test"],
    [["submit", ".", "--test", "t", "--repository", "no spaces"], "repository:"],
    [["frobnicate"], "unknown command"],
  ])("refuses %j with 2", async (words, sentence) => {
    const api = await start(fakeState());
    const run = await runCli(words, { url: api.url, cwd: directory({ a: "x" }) });
    expect(run.code).toBe(2);
    expect(run.stderr).toContain(sentence);
  });

  it("leaves a git repository and its ref to the platform to clone", async () => {
    const state = fakeState({ frames: [fakeView()] });
    const api = await start(state);
    const git = ["--git", "https://example.test/a.git", "--ref", "v1.2"];
    expect((await runCli(["submit", ...git, "--test", "t"], { url: api.url })).code).toBe(0);
    const [asked] = state.requests;
    expect(JSON.parse(asked?.body ?? "").source).toEqual({ kind: "git", url: git[1], ref: "v1.2" });
  });

  it("sends a patch as text where it is UTF-8 and as bytes where it is not, with where its names are", async () => {
    const state = fakeState({ frames: [fakeView()] });
    const api = await start(state);
    const latin1 = Buffer.from("--- a/f\n+++ b/f\n@@ -1 +1 @@\n-a\n+F\xfcnf\n", "latin1");
    const utf8 = "--- a/f\n+++ b/f\n@@ -1 +1 @@\n-a\n+fünf\n";
    const files = directory({ "latin1.diff": latin1, "utf8.diff": utf8 });
    const where = ["--strip", "2", "--directory", "packages/x"];
    const words = ["submit", "https://example.test/a.git", "--test", "t", ...where];
    const patches = ["--patch", join(files, "latin1.diff"), "--fallback-patch", join(files, "utf8.diff")];
    expect((await runCli([...words, ...patches], { url: api.url })).code).toBe(0);
    expect(JSON.parse(state.requests[0]?.body ?? "").change).toEqual({
      kind: "patch",
      diff: { base64: latin1.toString("base64") },
      fallback_diffs: [utf8],
      strip: 2,
      directory: "packages/x",
    });
    const alone = await runCli(words, { url: api.url });
    expect(alone).toMatchObject({ code: 2, stderr: expect.stringContaining("--strip and --directory") });
  });

  it("hands on the idempotency key, and makes one up otherwise", async () => {
    const state = fakeState({ frames: [fakeView()] });
    const api = await start(state);
    const words = ["submit", "https://example.test/a.git", "--test", "t"];
    expect((await runCli([...words, "--idempotency-key", "job-7"], { url: api.url })).code).toBe(0);
    expect((await runCli(words, { url: api.url })).code).toBe(0);
    const keys = state.requests.map(({ headers }) => headers["idempotency-key"]);
    expect(keys[0]).toBe("job-7");
    expect(keys[1]).toMatch(/^cli-[0-9a-f-]{36}$/);
  });
});

describe("agents --json", () => {
  it("prints one document on standard output and all else on standard error", async () => {
    const view = failed();
    const api = await start(fakeState({ frames: [fakeView(), view], files: FILES }));
    const source = directory({ "a.js": "1\n" });
    const run = await runCli(["submit", source, "--test", "t", "--wait", "--json"], { url: api.url });
    expect(run.code).toBe(1);
    expect(JSON.parse(run.stdout)).toEqual(view);
    expect(run.stderr).toContain("buildtest, repair 1");
  });

  it("prints one document for an error too", async () => {
    const api = await start(fakeState());
    const run = await runCli(["status", TASK_ID, "--json"], { url: api.url, key: "dak_wrong" });
    expect(run.code).toBe(4);
    expect(JSON.parse(run.stdout)).toMatchObject({ error: { code: "UNAUTHORIZED", exit_code: 4 } });
    const usage = await runCli(["tasks", "--limit", "0", "--json"], { url: api.url });
    expect(usage.code).toBe(2);
    expect(JSON.parse(usage.stdout)).toMatchObject({ error: { code: "USAGE" } });
  });
});

describe("agents and an API in trouble", () => {
  it("shows a problem's detail, fields, code and trace", async () => {
    const errors = [{ path: "test", message: "workflow change needs it" }];
    const body = problem(422, "SUBMISSION_INVALID", "The submission is incomplete.", errors);
    const answers = { "POST /api/tasks": { status: 422, body } };
    const api = await start(fakeState({ answers }));
    const run = await runCli(["submit", "https://example.test/a", "--prompt", "p"], { url: api.url });
    expect(run).toMatchObject({ code: 2, stdout: "" });
    expect(run.stderr).toContain("Refused: The submission is incomplete.");
    expect(run.stderr).toContain("test: workflow change needs it");
    expect(run.stderr).toContain(`SUBMISSION_INVALID  trace ${TRACE_ID}`);
  });

  it("names the way out when nothing answers", async () => {
    const api = await start(fakeState());
    await api.stop();
    const run = await runCli(["tasks"], { url: api.url });
    expect(run).toMatchObject({ code: 4, stdout: "" });
    expect(run.stderr).toContain(`Nothing answers at ${api.url}`);
    expect(run.stderr).toContain("npm start");
  });

  it("survives a crash and restart of the stack in mid-wait", async () => {
    const state = fakeState({ frames: [fakeView(), underWay(), passed()], polls_until_crash: 1 });
    const api = await start(state);
    let restarted: Promise<unknown> | undefined;
    const run = await runCli(["status", TASK_ID, "--wait"], {
      url: api.url,
      onOutput(output) {
        if (restarted !== undefined || !output.includes("Trying again")) return;
        state.polls_until_crash = Number.POSITIVE_INFINITY;
        restarted = api.stop().then(() => start(state, api.port));
      },
    });
    await restarted;
    expect(run.code).toBe(0);
    expect(run.stdout).toContain("The API answers again.");
    expect(run.stdout).toContain("✓ passed");
  });

  it("tells on Ctrl-C how to follow again, with 130", async () => {
    const api = await start(fakeState({ frames: [underWay()] }));
    const run = await runCli(["status", TASK_ID, "--wait"], {
      url: api.url,
      onOutput: (output, child) => output.includes("codegen") && child.kill("SIGINT"),
    });
    expect(run.code).toBe(130);
    expect(run.stderr).toContain(`agents status ${TASK_ID} --wait`);
  });
});

describe("agents artifacts, logs, query, tasks, cancel", () => {
  it("prints links that open in a browser, one by itself, and says which file has none yet", async () => {
    const artifacts = fakeArtifacts(FILES).map((one) => ({ ...one, url: `http://s3.test/${one.path}?sig` }));
    const missing = [{ path: "task.json", reason: "there is no link to task.json yet: the task runs" }];
    const view = fakeView({ artifacts, links: { expires_seconds: 300, expires_at: at(300), missing } });
    const state = fakeState({ frames: [view] });
    const api = await start(state);
    const run = (...words: string[]) => runCli(["artifacts", TASK_ID, ...words], { url: api.url });
    const all = await run("--links");
    expect(all.stdout).toContain("http://s3.test/build-test/test.log?sig\n");
    expect(all.stdout).toContain("there is no link to task.json yet");
    expect(all.stdout).toContain("for 300 s, without a key");
    expect(state.requests.at(-1)?.search).toBe("?links=true");
    expect(await run("build-test/test.log", "--links")).toMatchObject({
      code: 0,
      stdout: "http://s3.test/build-test/test.log?sig\n",
    });
    const none = await run("task.json", "--links");
    expect(none).toMatchObject({ code: 2, stdout: "" });
    expect(none.stderr).toContain("there is no link to task.json yet");
    const document = JSON.parse((await run("--links", "--json")).stdout);
    expect(document).toMatchObject({
      links: { expires_seconds: 300 },
      artifacts: [{ url: expect.any(String) }, {}, {}],
    });
    expect((await run("--links", "--download", "x")).code).toBe(2);
    expect((await runCli(["artifacts", "--help"], {})).stdout).toContain("--links");
  });

  it("prints a file byte by byte and saves all, checked", async () => {
    const api = await start(fakeState({ frames: [failed()], files: FILES }));
    const print = await runCli(["artifacts", TASK_ID, "build-test/test.log"], { url: api.url });
    expect(print).toMatchObject({ code: 0, stdout: "not ok 12\n" });
    const target = directory({});
    const save = await runCli(["artifacts", TASK_ID, "--download", target], { url: api.url });
    expect(save.stdout).toContain("Saved 3 files");
    expect(readFileSync(join(target, "build-test/summary.json"), "utf8")).toBe(SUMMARY);
  });

  it("refuses a damaged file, and one the task does not have", async () => {
    const files = { ...FILES, "build-test/test.log": "changed" };
    const api = await start(fakeState({ frames: [failed()], files }));
    const damaged = await runCli(["artifacts", TASK_ID, "build-test/test.log"], { url: api.url });
    expect(damaged).toMatchObject({ code: 3, stdout: "" });
    expect(damaged.stderr).toContain("damaged");
    const missing = await runCli(["artifacts", TASK_ID, "nope"], { url: api.url });
    expect(missing.code).toBe(2);
    expect(missing.stderr).toContain("build-test/summary.json");
  });

  it("refuses to save an artifact outside the directory", async () => {
    const view = { ...failed(), artifacts: fakeArtifacts({ "../evil": "x" }) };
    const api = await start(fakeState({ frames: [view], files: { evil: "x" } }));
    const run = await runCli(["artifacts", TASK_ID, "--download", directory({})], { url: api.url });
    expect(run.code).toBe(3);
    expect(run.stderr).toContain("leads out of");
  });

  it("prints the logs of the last round, with --all of every round, and says when there are none", async () => {
    const files = { ...FILES, "build-test/earlier/buildtest-0/test.log": "not ok 11\n" };
    const api = await start(fakeState({ frames: [{ ...failed(), artifacts: fakeArtifacts(files) }], files }));
    const run = await runCli(["logs", TASK_ID], { url: api.url });
    expect(run.stdout).toContain("==> build-test/test.log <==\nnot ok 12\n");
    expect(run.stdout).not.toContain("not ok 11");
    expect((await runCli(["logs", TASK_ID, "--all"], { url: api.url })).stdout).toContain("not ok 11");
    const none = await start(fakeState({ frames: [underWay()] }));
    expect((await runCli(["logs", TASK_ID], { url: none.url })).code).toBe(1);
  });

  it("answers a query with places and reasons, or fails where nothing is indexed", async () => {
    const result = { symbol: "countWeekdays", kind: "function", path: "src/weekdays.js", start_line: 20 };
    const found = { ...result, end_line: 28, excerpt: "export function", score: 1, why: ["name matches"] };
    const body = { repository: "shop", revision: "abc", words_only: null, results: [found] };
    const state = fakeState({ answers: { "POST /api/query": { status: 200, body } } });
    const api = await start(state);
    const run = await runCli(["query", "working", "days", "--repository", "shop"], { url: api.url });
    expect(run.stdout).toContain("countWeekdays function  src/weekdays.js:20-28");
    expect(JSON.parse(state.requests[0]?.body ?? "")).toEqual({
      query: "working days",
      repository: "shop",
      limit: 5,
    });
    state.answers["POST /api/query"] = { status: 200, body: { ...body, revision: null, results: [] } };
    const none = await runCli(["query", "x", "--repository", "shop"], { url: api.url });
    expect(none).toMatchObject({ code: 2, stdout: "" });
    expect(none.stderr).toContain("agents index <dir> --repository shop");
    const json = await runCli(["query", "x", "--repository", "shop", "--json"], { url: api.url });
    expect(json.code).toBe(2);
    expect(JSON.parse(json.stdout).error.code).toBe("REPOSITORY_NOT_INDEXED");
  });

  it("lists tasks, and counts a cancel as done as asked", async () => {
    const canceled = fakeView({ status: "canceled", ended_at: at(1) });
    const api = await start(fakeState({ frames: [canceled] }));
    expect((await runCli(["tasks"], { url: api.url })).stdout).toContain(`${TASK_ID}  canceled`);
    const cancel = await runCli(["cancel", TASK_ID], { url: api.url });
    expect(cancel.code).toBe(0);
    expect(cancel.stdout).toContain("– canceled in 1.0 s");
  });
});

describe("agents policies", () => {
  it("shows what is in force, or hands on the whole answer", async () => {
    const body = { service: "gateway", source: "configs/", checked_at: at(1), policies: [] };
    const api = await start(fakeState({ answers: { "GET /api/policies": { status: 200, body } } }));
    expect((await runCli(["policies"], { url: api.url })).stdout).toContain("taken from configs/");
    expect(JSON.parse((await runCli(["policies", "--json"], { url: api.url })).stdout)).toEqual(body);
  });
});

describe("the launcher", () => {
  const system = ["/usr/bin/node", "/usr/local/bin/node"].find((path) => {
    try {
      return Number(execFileSync(path, ["-p", "parseInt(process.versions.node)"], { stdio: "pipe" })) < 24;
    } catch {
      return false;
    }
  });

  it.skipIf(system === undefined)(
    "runs under an older Node of the system, and hands on exit codes",
    async () => {
      const help = await runCli(["submit", "--help"], { node: system });
      expect(help.code).toBe(0);
      expect(help.stdout).toContain("agents submit . --patch fix.diff");
      expect((await runCli(["submit"], { node: system })).code).toBe(2);
    },
  );

  it("finds the nearest credentials going up, and sends a key nowhere else", async () => {
    const state = fakeState({ frames: [passed()] });
    const api = await start(state);
    const root = directory({});
    execFileSync("mkdir", ["-p", join(root, ".local"), join(root, "deep/er")]);
    const credentials = { url: api.url, tenant: "local", key: FAKE_KEY };
    writeFileSync(join(root, ".local/credentials.json"), JSON.stringify(credentials));
    expect((await runCli(["tasks"], { cwd: join(root, "deep/er") })).code).toBe(0);
    const other = await start(fakeState());
    const elsewhere = await runCli(["tasks", "--url", other.url], { cwd: root });
    expect(elsewhere.code).toBe(4);
    expect(elsewhere.stderr).toContain("No key for");
  });
});
