import { afterEach, describe, expect, it } from "vitest";
import { ArtifactIndex } from "#schemas/http/task-view.ts";
import { type FakeApi, fakeState, startFakeApi } from "../test/fakes/fake-api.ts";
import { fakeArtifacts, fakeView, TASK_ID } from "../test/fakes/fake-task.ts";
import { runCli } from "../test/fakes/run-cli.ts";

const running: FakeApi[] = [];
afterEach(async () => {
  for (const api of running.splice(0)) await api.stop();
});

const files = { "build-test/report.json": "{}", "build-test/report.json.meta.json": "{}" };
const page = (next_cursor: string | null): ArtifactIndex =>
  ArtifactIndex.parse({
    entries: [
      {
        tenant: "local",
        task_id: TASK_ID,
        step: "buildtest",
        round: 1,
        kind: "build-test",
        producer: "buildtest",
        verdict: "failed",
        completed_at: "2026-11-22T10:00:00.000Z",
        artifacts: fakeArtifacts(files),
      },
    ],
    next_cursor,
  });

async function start(next_cursor: string | null = null) {
  const answer = { status: 200, body: page(next_cursor) };
  const state = fakeState({ frames: [fakeView()], answers: { "GET /api/artifacts/index": answer } });
  const api = await startFakeApi(state);
  running.push(api);
  const run = (...words: string[]) => runCli(words, { url: api.url });
  const query = () => Object.fromEntries(new URLSearchParams(state.requests.at(-1)?.search));
  return { run, query, state };
}

describe("agents artifacts without a task", () => {
  it("lists sets of all tasks, without their meta files", async () => {
    const { run, query } = await start();
    const { code, stdout } = await run("artifacts");
    expect(code).toBe(0);
    expect(stdout).toMatch(new RegExp(`✗ ${TASK_ID}  build-test  buildtest, repair 1 +1 file, 2 B +.* ago`));
    expect(query()).toEqual({});
  });

  it("filters, and tells how to go on with the very same filters", async () => {
    const { run, query } = await start("next");
    const words = ["--kind", "build-test", "--verdict", "failed", "--producer", "buildtest", "--since", "1d"];
    const { stdout } = await run("artifacts", ...words, "--limit", "5");
    const { since = "", ...rest } = query();
    expect(rest).toEqual({ kind: "build-test", verdict: "failed", producer: "buildtest", limit: "5" });
    expect(Math.abs(Date.now() - 86_400_000 - Date.parse(since))).toBeLessThan(600_000);
    expect(stdout).toContain("More: agents artifacts ");
    expect(stdout).toContain("--limit 5 --cursor next");
    expect(stdout).toContain(`--since ${since}`);
    await run("artifacts", "--since", since, "--cursor", "next");
    expect(query()).toEqual({ since, cursor: "next" });
  });

  it("gives a task's latest sets", async () => {
    const { run, query } = await start();
    expect((await run("artifacts", TASK_ID, "--latest", "--kind", "build-test")).code).toBe(0);
    expect(query()).toEqual({ task: TASK_ID, latest: "true", kind: "build-test" });
  });

  it.each([
    [["--since", "yesterday"], "Give a span such as"],
    [["--verdict", "meh"], "passed, failed, error"],
    [["--limit", "0"], "1 to 100"],
    [["--download", "x"], "Name the task alone"],
    [[TASK_ID, "a.log", "--kind", "run"], "Name the task alone"],
  ])("refuses %j", async (words, sentence) => {
    const { run, state } = await start();
    const { code, stderr } = await run("artifacts", ...words);
    expect(code).toBe(2);
    expect(stderr).toContain(sentence);
    expect(state.requests).toEqual([]);
  });
});

describe("agents tasks", () => {
  it("filters by status and time", async () => {
    const { run, query } = await start();
    await run("tasks", "--status", "failed", "--since", "2026-11-22");
    expect(query()).toEqual({ limit: "20", status: "failed", since: "2026-11-22T00:00:00.000Z" });
    expect((await run("tasks", "--until", "now")).code).toBe(2);
  });
});
