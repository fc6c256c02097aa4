import { fileURLToPath } from "node:url";
import { ArtifactMeta } from "#schemas/artifacts/artifact-meta.ts";
import { BuildTestReport, BuildTestSummary } from "#schemas/artifacts/build-test-report.ts";
import { ArtifactIndex, type TaskView } from "#schemas/http/task-view.ts";
import { type Api, connect } from "../cli/api.ts";
import { fetchArtifact } from "../cli/fetch-artifact.ts";
import { followTask } from "../cli/follow-task.ts";
import { patience } from "../cli/patiently.ts";
import { resolveSettings } from "../cli/settings.ts";
import { submitTask } from "../cli/submit-task.ts";
import { createTerminal } from "../cli/terminal.ts";
import { anyFreePort } from "../local/ports.ts";
import { answers, startOwnStack } from "./own-stack.ts";

const REPOSITORY = fileURLToPath(new URL("..", import.meta.url));
const FILES = ["report.json", "report.json.meta.json", "build.log", "test.log", "summary.json"];
const PACKAGE = JSON.stringify({ name: "smoke", version: "1.0.0", type: "module" });

function testFile(right: number): string {
  return `import assert from "node:assert/strict";
import { test } from "node:test";
test("addition", () => assert.equal(1 + 1, ${right}));
test("multiplication", () => assert.equal(2 * 3, 6));
`;
}

const terminal = createTerminal(process.stdout, process.env);
const tally = { passed: 0, failed: 0 };

/** Run one check and print its line. A check fails by throwing. */
async function check(name: string, verify: () => unknown): Promise<void> {
  try {
    await verify();
    tally.passed += 1;
    terminal.lines(`${terminal.paint.green("✓")} ${name}`);
  } catch (error) {
    tally.failed += 1;
    terminal.lines(`${terminal.paint.red("✗")} ${name}: ${(error as Error).message}`);
  }
}

function expectEqual(actual: unknown, expected: unknown): void {
  if (actual !== expected) throw new Error(`expected ${String(expected)}, got ${String(actual)}`);
}

async function readText(api: Api, view: TaskView, path: string): Promise<string> {
  const artifact = view.artifacts.find((entry) => entry.path === path);
  if (artifact === undefined) throw new Error("not listed");
  const bytes = await fetchArtifact(api, artifact);
  expectEqual(bytes.length, artifact.bytes);
  return new TextDecoder().decode(bytes);
}

async function smoke(api: Api, name: "passing" | "failing", right: number): Promise<void> {
  const failed = name === "failing";
  const files = { "package.json": PACKAGE, "arithmetic.test.js": testFile(right) };
  const submission = {
    workflow: "buildtest",
    source: { kind: "inline" as const, files },
    build: "node --version",
    test: "node --test --test-reporter=tap",
    repository: "smoke",
    profile: "trusted",
    deadline_seconds: 300,
  };
  const accepted = await submitTask(api, submission, undefined, terminal);
  const view = await followTask(api, accepted, patience, () => {});
  await check(`${name}: verdict`, () => expectEqual(view.verdict, failed ? "failed" : "passed"));
  const texts = new Map<string, string>();
  for (const file of FILES) {
    const path = `build-test/${file}`;
    await check(`${name}: ${path} present, sha256 as listed`, async () => {
      texts.set(file, await readText(api, view, path));
    });
  }
  const json = (file: string): unknown => JSON.parse(texts.get(file) ?? "null");
  await check(`${name}: report.json follows its schema and counts the tests`, () => {
    const report = BuildTestReport.parse(json("report.json"));
    expectEqual(report.tests_passed, failed ? 1 : 2);
    expectEqual(report.tests_failed, failed ? 1 : 0);
  });
  await check(`${name}: summary.json follows its schema and names the first failure`, () => {
    const summary = BuildTestSummary.parse(json("summary.json"));
    expectEqual(summary.first_failure !== null, failed);
  });
  await check(`${name}: report.json.meta.json speaks of the report and this trace`, () => {
    const meta = ArtifactMeta.parse(json("report.json.meta.json"));
    expectEqual(meta.sha256, view.artifacts.find(({ path }) => path === "build-test/report.json")?.sha256);
    expectEqual(meta.trace_id, view.trace_id);
  });
  await check(`${name}: the artifact index lists the step`, async () => {
    const index = await api.get(ArtifactIndex, `/api/artifacts/index?task=${view.task_id}`);
    expectEqual(index.entries.filter(({ step }) => step === "buildtest").length, 1);
  });
}

/** The stack that is running, else one of our own. */
async function chooseStack(): Promise<{ api: Api; stop(): Promise<void> }> {
  const none = async () => {};
  if (process.env.AGENTS_URL)
    return { api: connect(resolveSettings({}, process.env, REPOSITORY)), stop: none };
  try {
    const api = connect(resolveSettings({}, {}, REPOSITORY));
    if (await answers(api)) return { api, stop: none };
  } catch {
    // No credentials: no stack was ever started here.
  }
  return startOwnStack("smoke", await anyFreePort(), terminal);
}

try {
  const { api, stop } = await chooseStack();
  try {
    terminal.lines(`Against ${api.url}`);
    await smoke(api, "passing", 2);
    await smoke(api, "failing", 3);
  } finally {
    await stop();
  }
} catch (error) {
  tally.failed += 1;
  terminal.lines(`${terminal.paint.red("✗")} ${(error as Error).message}`);
}
terminal.lines(`${tally.passed} passed, ${tally.failed} failed`);
process.exitCode = tally.failed === 0 ? 0 : 1;
