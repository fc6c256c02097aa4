import { execFile, spawnSync } from "node:child_process";
import { existsSync, realpathSync } from "node:fs";
import { mkdtemp, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { BuildTestReport } from "#schemas/artifacts/build-test-report.ts";
import { IndexReport } from "#schemas/artifacts/index-report.ts";
import { QueryAnswer } from "#schemas/http/query-answer.ts";
import { TaskView } from "#schemas/http/task-view.ts";
import { readCredentials } from "../cli/settings.ts";
import { createTerminal } from "../cli/terminal.ts";
import { anyFreePort } from "../local/ports.ts";
import { type OwnStack, startOwnStack } from "./own-stack.ts";
import { readOptions } from "./read-options.ts";
import packages from "./real-packages/packages.json" with { type: "json" };
import { type Pair, preparePair, unpackPublished } from "./real-packages/prepare.ts";

const HELP = `Usage: npm run real:packages [-- --reduced] [-- --only <name>]

Takes published packages before and after a fix from npm's registry, with their own tests, and runs
them through a stack of its own: the earlier version must fail, and pass with the fix. Then one
codemod, one index and three queries. Prints a table; ends with 0 if all came out as expected.

  --reduced      hide bubblewrap, to run with reduced isolation
  --only <name>  only this package`;

const CLI = fileURLToPath(new URL("../cli/agents.mjs", import.meta.url));
const LEFT_BY_BUILDTEST = ["test.log", "report.json", "summary.json"].map((file) => `build-test/${file}`);
const LEFT_BY_CHANGE = [
  ...LEFT_BY_BUILDTEST,
  "codegen/diff.patch",
  "codegen/metrics.json",
  "index/report.json",
];

const terminal = createTerminal(process.stdout, process.env);
const rows: Record<string, unknown>[] = [];
const surprises: string[] = [];

function expect(kept: boolean, what: string): void {
  if (!kept) surprises.push(what);
}

/** `agents … --json` as a user types it; what it says on standard error is shown when it is of use. */
function agents(stack: OwnStack, ...args: string[]): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const { url, key } = readCredentials(stack.credentials);
    const env = { ...process.env, AGENTS_URL: url, AGENTS_KEY: key };
    const options = { env, maxBuffer: 64 * 1024 * 1024 };
    execFile(process.execPath, [CLI, ...args, "--json"], options, (error, stdout, stderr) => {
      if (stdout.trim() === "") return reject(new Error(stderr.trim() || String(error)));
      resolve(JSON.parse(stdout));
    });
  });
}

async function read(stack: OwnStack, view: TaskView, path: string): Promise<unknown> {
  const artifact = view.artifacts.find((each) => each.path === path);
  if (!artifact) throw new Error(`${view.task_id} left no ${path}: ${view.error?.message ?? view.verdict}`);
  return JSON.parse(new TextDecoder().decode(await stack.api.download(artifact.href)));
}

async function submit(stack: OwnStack, source: string, options: string[]): Promise<TaskView> {
  return TaskView.parse(await agents(stack, "submit", source, ...options, "--wait"));
}

function missingArtifacts(view: TaskView, expected: readonly string[]): string[] {
  const paths = new Set(view.artifacts.map(({ path }) => path));
  return [...expected, "task.json", "events.jsonl"].filter(
    (path) => !paths.has(path) || (path.includes("/") && !paths.has(`${path}.meta.json`)),
  );
}

async function runOnce(
  stack: OwnStack,
  pair: Pair,
  source: string,
  change: string[],
  wanted: "passed" | "failed",
): Promise<TaskView> {
  const name = `${pair.name} ${pair.before}${change.length > 0 ? ` ${change[0]}` : ""}`;
  const began_at = Date.now();
  const view = await submit(stack, source, [
    "--test",
    pair.test,
    "--repository",
    pair.name,
    "--profile",
    "trusted",
    ...change,
  ]);
  const task_seconds = ((Date.now() - began_at) / 1000).toFixed(1);
  const report = BuildTestReport.parse(await read(stack, view, "build-test/report.json"));
  const missing = missingArtifacts(view, change.length > 0 ? LEFT_BY_CHANGE : LEFT_BY_BUILDTEST);
  const usage = report.phases.find((phase) => phase.name === "test")?.usage;
  const row = {
    package: name,
    format: report.test_format,
    verdict: report.verdict,
    passed: report.tests_passed,
    failed: report.tests_failed,
    "archive MB": ((await stat(source)).size / 1e6).toFixed(2),
    "test s": ((usage?.wall_ms ?? 0) / 1000).toFixed(1),
    "task s": task_seconds,
    "peak MB": ((usage?.memory_bytes_peak ?? 0) / 1e6).toFixed(0),
    isolation: report.isolation,
    artifacts: missing.length === 0 ? "complete" : `without ${missing.join(", ")}`,
  };
  rows.push(row);
  terminal.lines(`  ${Object.values(row).join("  ")}`);
  expect(report.verdict === wanted, `${name}: ${report.verdict}, not ${wanted}: ${report.reason}`);
  expect(report.test_format === pair.format, `${name}: ${report.test_format}, not ${pair.format}`);
  expect(missing.length === 0, `${name}: without ${missing.join(", ")}`);
  return view;
}

async function runPairs(stack: OwnStack, directory: string, only: string | undefined): Promise<void> {
  for (const [index, pair] of packages.pairs.entries()) {
    if (only !== undefined && pair.name !== only) continue;
    terminal.lines(`${pair.name} ${pair.before} → ${pair.after}, ${pair.format}: ${pair.why}`);
    const { archive, patch } = await preparePair(pair, join(directory, String(index)));
    await runOnce(stack, pair, archive, [], "failed");
    await runOnce(stack, pair, archive, ["--patch", patch], "passed");
    if (pair.name !== packages.codemod.package) continue;
    const rules = join(directory, "rules.yml");
    await writeFile(rules, packages.codemod.rules.join("\n"));
    await runOnce(stack, pair, archive, ["--codemod", rules], "passed");
  }
}

async function indexAndAsk(stack: OwnStack, directory: string): Promise<void> {
  const { package: name, paths, queries } = packages.index;
  const tree = join(directory, "indexed");
  await unpackPublished(name, tree);
  spawnSync("tar", ["-czf", "indexed.tgz", ...paths], { cwd: tree });
  const began_at = Date.now();
  const args = ["index", join(tree, "indexed.tgz"), "--repository", name, "--wait"];
  const view = TaskView.parse(await agents(stack, ...args));
  const { files, symbols, chunks, embedded } = IndexReport.parse(
    await read(stack, view, "index/report.json"),
  );
  const seconds = (Date.now() - began_at) / 1000;
  terminal.lines(
    `${name} indexed: ${files} files, ${symbols} symbols, ${chunks} chunks, ${embedded} embedded, ${seconds.toFixed(1)} s`,
  );
  for (const query of queries) {
    const asked_at = Date.now();
    const answer = QueryAnswer.parse(
      await agents(stack, "query", query, "--repository", name, "--limit", "3"),
    );
    const found = answer.results.map(({ path, symbol }) => `${path}${symbol ? ` ${symbol}` : ""}`);
    terminal.lines(`  "${query}" (${Date.now() - asked_at} ms): ${found.join(", ")}`);
    expect(found.length > 0, `"${query}" finds nothing`);
  }
}

/** The same script where /dev/null lies over bubblewrap, so that no sandbox can be made with it. */
function withoutBubblewrap(args: readonly string[]): number {
  const file = ["/usr/bin/bwrap", "/usr/local/bin/bwrap"].find((each) => existsSync(each));
  if (file === undefined)
    throw new Error("bubblewrap is not installed, so isolation is reduced without --reduced.");
  const hide = ["--dev-bind", "/", "/", "--ro-bind", "/dev/null", realpathSync(file), "--die-with-parent"];
  const again = [process.execPath, fileURLToPath(import.meta.url), ...args];
  return spawnSync(file, [...hide, "--", ...again], { stdio: "inherit" }).status ?? 1;
}

async function main(): Promise<void> {
  const values = readOptions(HELP, {
    reduced: { type: "boolean" },
    only: { type: "string" },
  });
  if (values.reduced) {
    process.exitCode = withoutBubblewrap(values.only === undefined ? [] : ["--only", values.only]);
    return;
  }
  const directory = await mkdtemp(join(tmpdir(), "real-packages-"));
  const stack = await startOwnStack("real-packages", await anyFreePort(), terminal);
  try {
    await runPairs(stack, directory, values.only);
    if (!values.only || packages.index.package.startsWith(`${values.only}@`))
      await indexAndAsk(stack, directory);
  } finally {
    await stack.stop();
    await rm(directory, { recursive: true, force: true });
  }
  console.table(rows);
  terminal.lines(surprises.length === 0 ? "All as expected." : `Not as expected:\n${surprises.join("\n")}`);
  if (surprises.length > 0) process.exitCode = 1;
}

await main();
