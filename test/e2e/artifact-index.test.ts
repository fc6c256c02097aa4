import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { beforeAll, describe, expect, it } from "vitest";
import { ArtifactIndex, Problem, TaskList, type TaskView } from "#schemas/http/task-view.ts";
import { tenantClient } from "./client.ts";
import { tinySource } from "./example.ts";
import { testStack } from "./test-stack.ts";

const { stack, api } = testStack();
let passed: TaskView;
let failed: TaskView;
beforeAll(async () => {
  const views = [true, false].map(async (passes) => {
    const submission = { workflow: "buildtest", source: tinySource(passes), test: "node --test" };
    return api.ended((await api.submit(submission)).task_id);
  });
  [passed, failed] = (await Promise.all(views)) as [TaskView, TaskView];
  const run = { workflow: "run", source: tinySource(true), command: "echo hello" };
  await api.ended((await api.submit(run)).task_id);
});

const index = async (query: string, client = api) =>
  ArtifactIndex.parse((await client.request("GET", `/api/artifacts/index?${query}`)).body);
const tasksOf = ({ entries }: ArtifactIndex) => entries.map(({ task_id }) => task_id);

const execute = promisify(execFile);
const cleanUp = async (...words: string[]) => {
  const { stdout } = await execute(
    process.execPath,
    ["scripts/artifacts-clean.ts", "--data-dir", stack.data_dir, ...words],
    { encoding: "utf8" },
  );
  return stdout;
};

describe("the artifact index over HTTP", () => {
  it("finds the failed builds, and the latest report of a task in one call", async () => {
    expect(tasksOf(await index("kind=build-test&verdict=failed"))).toEqual([failed.task_id]);
    expect(tasksOf(await index("kind=build-test")).sort()).toEqual([passed.task_id, failed.task_id].sort());
    const { entries } = await index(`task=${failed.task_id}&kind=build-test&latest=true`);
    expect(entries).toHaveLength(1);
    const report = entries[0]?.artifacts.find(({ path }) => path === "build-test/report.json");
    const response = await fetch(new URL(report?.href ?? "", stack.url), {
      headers: { authorization: `Bearer ${api.key}` },
    });
    expect(await response.json()).toMatchObject({ verdict: "failed" });
    const again = await fetch(response.url, {
      headers: { authorization: `Bearer ${api.key}`, "if-none-match": response.headers.get("etag") ?? "" },
    });
    expect([again.status, await again.text()]).toEqual([304, ""]);
  });

  it("pages with a cursor that holds for its filters and its tenant", async () => {
    const first = await index("limit=2");
    const rest = await index(`limit=2&cursor=${first.next_cursor}`);
    expect([first.entries.length, rest.entries.length, rest.next_cursor]).toEqual([2, 1, null]);
    const path = `/api/artifacts/index?limit=2&kind=run&cursor=${first.next_cursor}`;
    const { status, body } = await api.request<Problem>("GET", path);
    expect([status, Problem.parse(body).code]).toEqual([400, "CURSOR_INVALID"]);
    const other = await tenantClient(stack.url, stack.data_dir, "other");
    expect((await index("", other)).entries).toEqual([]);
    const stolen = await other.request("GET", `/api/artifacts/index?cursor=${first.next_cursor}`);
    expect(stolen.status).toBe(400);
  });

  it("takes times, and refuses what it does not understand", async () => {
    const { completed_at } = (await index("limit=1")).entries[0]!;
    expect((await index(`since=${completed_at}`)).entries).toHaveLength(1);
    expect((await index(`until=${completed_at}`)).entries).toHaveLength(2);
    for (const query of ["since=yesterday", "verdict=meh", "latest=true", "color=red", "limit=0"]) {
      expect((await api.request("GET", `/api/artifacts/index?${query}`)).status, query).toBe(422);
    }
    const list = TaskList.parse(
      (await api.request("GET", "/api/tasks?status=failed&since=2020-01-01T00:00:00Z")).body,
    );
    expect(list.tasks.map(({ task_id }) => task_id)).toEqual([failed.task_id]);
  });

  it("resolves escaped paths once, and leads nowhere else", async () => {
    const headers = { authorization: `Bearer ${api.key}` };
    const status = async (path: string) =>
      (await fetch(`${stack.url}/artifacts/${passed.task_id}/${path}`, { headers })).status;
    expect(await status("build%2Dtest/report%2Ejson")).toBe(200);
    for (const hostile of [
      "build-test/%2e%2e%2ftask.json",
      "%2e%2e%2f%2e%2e%2fblobs",
      "..%5c..%5cblobs",
      "build-test/report.json%00",
      "build-test/a%20b",
    ]) {
      expect(await status(hostile), hostile).toBe(404);
    }
  });
});

describe("npm run artifacts:clean", () => {
  it("says what would go, changes nothing, and then deletes it", async () => {
    expect(await cleanUp("--dry-run")).toContain("0 tasks and 0 objects");
    const said = await cleanUp("--dry-run", "--older-than", "0s");
    expect(said).toContain("3 tasks and");
    expect(await api.artifact(failed.task_id, "task.json")).toBeDefined();
    expect(await cleanUp("--older-than", "0s", "--tenant", "nobody")).toContain("0 tasks");
    expect(await cleanUp("--older-than", "0s")).toContain("3 tasks and");
    expect((await api.request("GET", `/api/tasks/${failed.task_id}`)).status).toBe(404);
    expect((await index("")).entries).toEqual([]);
    const submission = { workflow: "buildtest", source: tinySource(true), test: "node --test" };
    const { task_id } = await api.submit(submission);
    expect((await api.ended(task_id)).verdict).toBe("passed");
  });

  it("refuses what it does not understand, and a directory without a stack", async () => {
    await expect(cleanUp("--older-than", "soon")).rejects.toMatchObject({ code: 1 });
    await expect(cleanUp("--tenant", "../x")).rejects.toMatchObject({ code: 1 });
    await expect(cleanUp("--data-dir", "/nowhere")).rejects.toMatchObject({ code: 1 });
  });
});
