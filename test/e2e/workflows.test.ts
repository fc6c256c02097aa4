import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { once } from "node:events";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { get } from "node:http";
import { dirname, join } from "node:path";
import { Ajv2020 } from "ajv/dist/2020.js";
import addFormats from "ajv-formats";
import { describe, expect, it, vi } from "vitest";
import { ArtifactMeta } from "#schemas/artifacts/artifact-meta.ts";
import { BuildTestReport } from "#schemas/artifacts/build-test-report.ts";
import { CodegenMetrics } from "#schemas/artifacts/codegen-metrics.ts";
import { MetricsSummary } from "#schemas/http/metrics-summary.ts";
import { ArtifactIndex, TaskList, TaskView } from "#schemas/http/task-view.ts";
import { needing } from "#test/needing.ts";
import { temporaryDirectory } from "#test/temporary.ts";
import { type ApiClient, tenantClient } from "./client.ts";
import { CODEMOD, exampleSource, FIRST_TRY, FIX, tinySource } from "./example.ts";
import { testStack } from "./test-stack.ts";

const with_git = await needing("git");

const { stack, api } = testStack();

const TEST = "node --test --test-reporter=tap";
const ajv = new Ajv2020({ strict: false });
addFormats.default(ajv);
const compiled = new Map<string, ReturnType<typeof ajv.compile>>();
/** The generated JSON Schema of that name, compiled once. */
function validator(schema_id: string) {
  const validate =
    compiled.get(schema_id) ?? ajv.compile(JSON.parse(readFileSync(`schemas/json/${schema_id}`, "utf8")));
  compiled.set(schema_id, validate);
  return validate;
}
/** Throws unless the value follows the generated schema. */
function mustFollow(schema_id: string, value: unknown): void {
  const validate = validator(schema_id);
  if (!validate(value)) throw new Error(`not ${schema_id}: ${ajv.errorsText(validate.errors)}`);
}
const sha256 = (bytes: Uint8Array) => createHash("sha256").update(bytes).digest("hex");

/** Reads every artifact of a task: checksum, meta file and schema of each. Returns their paths. */
async function checkArtifacts(view: TaskView): Promise<string[]> {
  const paths = view.artifacts.map(({ path }) => path);
  for (const artifact of view.artifacts) {
    const bytes = await api.artifact(view.task_id, artifact.path);
    expect([bytes.byteLength, sha256(bytes)], artifact.path).toEqual([artifact.bytes, artifact.sha256]);
    if (artifact.path.endsWith(".meta.json")) continue;
    expect(paths).toContain(`${artifact.path}.meta.json`);
    const meta_bytes = await api.artifact(view.task_id, `${artifact.path}.meta.json`);
    const meta = ArtifactMeta.parse(JSON.parse(meta_bytes.toString("utf8")));
    const written_as = artifact.path.replace(/\/earlier\/[^/]+/, "");
    expect([meta.path, meta.sha256, meta.bytes]).toEqual([written_as, artifact.sha256, artifact.bytes]);
    expect(meta.trace_id).toBe(view.trace_id);
    mustFollow("artifact.artifact_meta.schema.json", meta);
    if (artifact.content_type === "application/json") {
      expect(meta.schema_id, artifact.path).not.toBeNull();
      mustFollow(meta.schema_id ?? "", JSON.parse(bytes.toString("utf8")));
    }
    if (artifact.path === "events.jsonl") {
      for (const line of bytes.toString("utf8").trim().split("\n"))
        mustFollow(meta.schema_id ?? "", JSON.parse(line));
    }
  }
  return paths.filter((path) => !path.endsWith(".meta.json"));
}

const json = async (view: TaskView, path: string) =>
  JSON.parse((await api.artifact(view.task_id, path)).toString("utf8"));

describe("workflow change", () => {
  it("takes a fixing patch through codegen, build and test, and the index", async () => {
    const { task_id } = await api.submit({
      workflow: "change",
      source: exampleSource(),
      change: { kind: "patch", diff: FIX },
      test: TEST,
      repository: "date-range",
    });
    const view = TaskView.parse(await api.ended(task_id));
    expect(view).toMatchObject({ status: "succeeded", verdict: "passed" });
    expect(view.steps.map(({ step, verdict }) => [step, verdict])).toEqual([
      ["index", "passed"],
      ["codegen", "passed"],
      ["buildtest", "passed"],
      ["index_result", "passed"],
    ]);
    expect(await checkArtifacts(view)).toEqual(
      expect.arrayContaining([
        "build-test/report.json",
        "build-test/summary.json",
        "build-test/test.log",
        "codegen/diff.patch",
        "codegen/metrics.json",
        "codegen/summary.md",
        "events.jsonl",
        "index/report.json",
        "task.json",
      ]),
    );
    const report = BuildTestReport.parse(await json(view, "build-test/report.json"));
    expect(report).toMatchObject({ tests_failed: 0, test_format: "tap" });
    expect(report.tests_passed).toBe(report.tests.length);
  });

  with_git.it("leaves a diff.patch that git apply takes, giving the same files", async () => {
    const source = exampleSource();
    const { task_id } = await api.submit({
      workflow: "change",
      source,
      change: { kind: "codemod", rules: CODEMOD },
      test: TEST,
    });
    const view = await api.ended(task_id);
    expect(view.verdict, JSON.stringify(view.error)).toBe("passed");
    const directory = temporaryDirectory("apply");
    for (const [path, text] of Object.entries(source.files)) {
      mkdirSync(dirname(join(directory, path)), { recursive: true });
      writeFileSync(join(directory, path), text);
    }
    const input = await api.artifact(task_id, "codegen/diff.patch");
    execFileSync("git", ["apply", "--whitespace=nowarn"], { cwd: directory, input });
    const metrics = CodegenMetrics.parse(await json(view, "codegen/metrics.json"));
    for (const { path } of metrics.files) {
      expect(readFileSync(join(directory, path), "utf8")).not.toBe(source.files[path]);
    }
    execFileSync("node", ["--test"], { cwd: directory });
  });

  it("repairs: a first patch that fails its tests, a second that does not, both kept", async () => {
    const { task_id } = await api.submit({
      workflow: "change",
      source: exampleSource(),
      change: { kind: "patch", diff: FIRST_TRY, fallback_diffs: [FIX] },
      test: TEST,
    });
    const view = await api.ended(task_id);
    expect(view.verdict).toBe("passed");
    const rounds = view.steps
      .filter(({ step }) => step === "buildtest")
      .map(({ round, verdict }) => [round, verdict]);
    expect(rounds).toEqual([
      [0, "failed"],
      [1, "passed"],
    ]);
    const paths = await checkArtifacts(view);
    expect(paths).toContain("codegen/earlier/codegen-0/diff.patch");
    expect(paths).toContain("build-test/earlier/buildtest-0/report.json");
  });

  it("ends failed with a code when the diff does not apply", async () => {
    const diff = FIX.replaceAll("getDay", "getMonday");
    const { task_id } = await api.submit({
      workflow: "change",
      source: exampleSource(),
      change: { kind: "patch", diff },
      test: TEST,
    });
    const view = await api.ended(task_id);
    expect(view).toMatchObject({ status: "failed", error: { code: "DIFF_DOES_NOT_APPLY", step: "codegen" } });
  });
});

describe("workflow buildtest", () => {
  it("reports a failing build as completely as a passing one", async () => {
    const submitted = [tinySource(true), tinySource(false)].map((source) =>
      api.submit({ workflow: "buildtest", source, build: "node --check add.js", test: TEST }),
    );
    const [passing, failing] = await Promise.all(
      (await Promise.all(submitted)).map(({ task_id }) => api.ended(task_id)),
    );
    if (!passing || !failing) throw new Error("two tasks went in");
    expect([passing.verdict, failing.verdict]).toEqual(["passed", "failed"]);
    expect(failing.error?.code).toBe("TESTS_FAILED");
    expect(await checkArtifacts(failing)).toEqual(await checkArtifacts(passing));
    const reports = await Promise.all([passing, failing].map((view) => json(view, "build-test/report.json")));
    expect(Object.keys(reports[1])).toEqual(Object.keys(reports[0]));
    expect(reports[1].first_failure).toContain("adds");
  });

  it("tells a broken environment from a failing test", async () => {
    const { task_id } = await api.submit({
      workflow: "buildtest",
      source: tinySource(true),
      test: "no-such-program-anywhere --run",
    });
    const view = await api.ended(task_id);
    expect(view).toMatchObject({ status: "failed", verdict: "error" });
    await checkArtifacts(view);
  });
});

describe("workflows index and run", () => {
  it("index answers queries with the symbol and why", async () => {
    const { task_id } = await api.submit({ workflow: "index", source: exampleSource(), repository: "dates" });
    expect((await api.ended(task_id)).verdict).toBe("passed");
    const { body } = await api.request<{ results: { symbol: string; why: string[] }[] }>(
      "POST",
      "/api/query",
      {
        query: "isWeekend",
        repository: "dates",
      },
    );
    expect(body.results[0]?.symbol).toBe("isWeekend");
    expect(body.results[0]?.why.length).toBeGreaterThan(0);
  });

  it("run leaves the command's output and its exit code", async () => {
    const { task_id } = await api.submit({
      workflow: "run",
      source: tinySource(true),
      command: "echo hello; exit 3",
    });
    const view = await api.ended(task_id);
    expect(view).toMatchObject({ verdict: "failed", error: { code: "COMMAND_FAILED" } });
    await checkArtifacts(view);
    expect((await api.artifact(task_id, "run/output.log")).toString()).toContain("hello");
    expect(await json(view, "run/report.json")).toMatchObject({ phase: { exit_code: 3 } });
  });
});

describe("many at once", () => {
  it("ten tasks of two tenants all end, and neither sees the other's", async () => {
    const other = await tenantClient(stack.url, stack.data_dir, "other");
    const clients = Array.from({ length: 10 }, (_, n) => (n % 2 ? other : api));
    const tasks = await Promise.all(
      clients.map(async (client, n) => {
        const submission = { workflow: "buildtest", source: tinySource(n % 3 !== 0), test: TEST };
        return { client, passes: n % 3 !== 0, task_id: (await client.submit(submission)).task_id };
      }),
    );
    for (const { client, passes, task_id } of tasks) {
      expect((await client.ended(task_id)).verdict).toBe(passes ? "passed" : "failed");
      const stranger = client === api ? other : api;
      const { status } = await stranger.request("GET", `/api/tasks/${task_id}`);
      expect(status).toBe(404);
    }
    const { body } = await other.request<TaskList>("GET", "/api/tasks?limit=3");
    expect(TaskList.parse(body).tasks.every(({ tenant }) => tenant === "other")).toBe(true);
    const next = await other.request<TaskList>("GET", `/api/tasks?limit=3&cursor=${body.next_cursor}`);
    expect(next.body.tasks).toHaveLength(2);
  });
});

describe("what was counted", () => {
  const scrape = async (client: ApiClient, query = "", accept = "text/plain") => {
    const headers = { authorization: `Bearer ${client.key}`, accept };
    const answer = await fetch(`${stack.url}/api/metrics${query}`, { headers });
    return { status: answer.status, type: answer.headers.get("content-type"), text: await answer.text() };
  };
  const samples = (text: string, name: string) =>
    text.split("\n").flatMap((line) => {
      const [, labels = "", value] = new RegExp(`^${name}\\{(.*)\\} (\\S+)$`).exec(line) ?? [];
      return value === undefined ? [] : [{ labels, value: Number(value) }];
    });
  const sum = (all: { value: number }[]) => all.reduce((total, { value }) => total + value, 0);

  it("is the same for Prometheus as in the summary, and tasks are those of the ledger", async () => {
    const quiet = await tenantClient(stack.url, stack.data_dir, "quiet");
    const { task_id } = await quiet.submit({ workflow: "run", source: tinySource(true), command: "true" });
    await quiet.ended(task_id);
    const read = async () => {
      const { body } = await quiet.request<MetricsSummary>("GET", "/api/metrics/summary?window=5m");
      return { summary: MetricsSummary.parse(body), exposed: (await scrape(quiet)).text };
    };
    const { summary, exposed } = await vi.waitUntil(
      async () => {
        const found = await read();
        return (found.summary.services.sandbox?.steps_passed ?? 0) > 0 && found;
      },
      { timeout: 60_000, interval: 200 },
    );
    expect(summary).toMatchObject({
      tenant: "quiet",
      tasks: { open: 0, ended: { succeeded: 1 } },
      backlog: null,
    });
    expect(sum(samples(exposed, "agents_tasks"))).toBe(1);
    expect(
      sum(samples(exposed, "agents_steps_total").filter(({ labels }) => labels.includes('"quiet"'))),
    ).toBe(1);
    const ran = summary.series.find(({ service, tenant }) => service === "sandbox" && tenant === "quiet");
    expect(ran?.counts).toMatchObject({ steps_passed: 1, step_attempts_first: 1 });
    expect(ran?.durations.step?.count).toBe(1);
    expect(exposed).not.toContain('tenant="local"');
  });

  it("is shown of all tenants to operators only, as Prometheus text or OpenMetrics", async () => {
    const all = await scrape(api);
    expect([all.status, all.type]).toEqual([200, "text/plain; version=0.0.4; charset=utf-8"]);
    expect(all.text).toContain('tenant="local"');
    expect(all.text).toContain('tenant="quiet"');
    expect(samples(all.text, "agents_queue_messages").length).toBeGreaterThan(0);
    expect(samples(all.text, "agents_aws_requests_total").length).toBeGreaterThan(0);
    for (const { labels } of samples(all.text, "agents_[a-z_]+")) {
      for (const label of ["service", "role", "shard", "tenant"]) expect(labels).toMatch(`${label}="`);
    }
    const open = await scrape(api, "", "application/openmetrics-text");
    expect(open.type).toBe("application/openmetrics-text; version=1.0.0; charset=utf-8");
    expect(open.text.endsWith("# EOF\n")).toBe(true);
    const quiet = await tenantClient(stack.url, stack.data_dir, "quiet");
    expect((await scrape(quiet, "?tenant=*")).status).toBe(403);
    expect((await quiet.request("GET", "/api/metrics/summary?tenant=local")).status).toBe(403);
    expect((await api.request("GET", "/api/metrics/summary?tenant=quiet")).body).toMatchObject({
      tenant: "quiet",
    });
  });

  it("is refused for a window that is none", async () => {
    for (const window of ["0m", "5", "5s", "32d", "1h30m", "-1h"]) {
      const { status } = await api.request("GET", `/api/metrics/summary?window=${window}`);
      expect(status, window).toBe(422);
    }
  });
});

describe("the two plain checks", () => {
  it("answer curl from loopback without a key, as JSON", async () => {
    const index = await fetch(`${stack.url}/api/artifacts/index`);
    expect(ArtifactIndex.parse(await index.json()).entries.length).toBeGreaterThan(0);
    const summary = await fetch(`${stack.url}/api/metrics/summary`);
    expect(await summary.json()).toMatchObject({ services: { orchestrator: expect.anything() } });
  });

  it("answer nothing under another Host, as a page that rebinds its name would send", async () => {
    const headers = { host: "attacker.example" };
    const [answer] = await once(get(`${stack.url}/api/artifacts/index`, { headers }), "response");
    expect(answer.resume().statusCode).toBe(401);
  });
});
