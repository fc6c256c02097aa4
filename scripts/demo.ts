import { join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import type { BuildTestSummary } from "#schemas/artifacts/build-test-report.ts";
import { QueryAnswer } from "#schemas/http/query-answer.ts";
import type { TaskView } from "#schemas/http/task-view.ts";
import type { Api } from "../cli/api.ts";
import { awaitTask, readSummary } from "../cli/await-task.ts";
import { exitCode } from "../cli/exit-code.ts";
import { type ChangeOptions, readChange } from "../cli/read-change.ts";
import { artifactTree } from "../cli/render/artifact-tree.ts";
import { formatDuration } from "../cli/render/format.ts";
import { queryResults } from "../cli/render/query-results.ts";
import { verdictLines } from "../cli/render/verdict.ts";
import { sendSource } from "../cli/send-source.ts";
import { submitTask } from "../cli/submit-task.ts";
import { createTerminal } from "../cli/terminal.ts";
import { anyFreePort, isFree } from "../local/ports.ts";
import { type OwnStack, startOwnStack } from "./own-stack.ts";
import { readOptions } from "./read-options.ts";

const HELP = `Usage: npm run demo [-- --keep] [-- --port <port>]

Starts a stack with its own data, fails a package's tests, has the fix made, tested and indexed,
asks the indexed code a question, and stops. Ends with 0 if all came out as promised.

  --keep         leave the stack running, to try more
  --port <port>  where to start it (3001, or a free one if that is taken)
  --help         show this`;

const EXAMPLES = fileURLToPath(new URL("../examples/", import.meta.url));
const SOURCE = join(EXAMPLES, "date-range");
const PATCH = join(EXAMPLES, "fix.patch");
const TEST = "node --test --test-reporter=tap";
const REPOSITORY = "date-range";
/** The package is ours, so it may run where nothing isolates it. */
const PROFILE = "trusted";
const QUESTION = "how many working days are in a range";

/** After Ctrl-C nothing more is shown: what the stopping stack breaks off is no news. */
let interrupted = false;
const screen = {
  isTTY: process.stdout.isTTY,
  columns: process.stdout.columns,
  write: (text: string) => interrupted || process.stdout.write(text),
};
const terminal = createTerminal(screen, process.env);
const { paint } = terminal;

/** Hold the demo to its word. @throws Error naming the promise that was broken */
function promise(kept: boolean, what: string): void {
  if (!kept) throw new Error(`Not as promised: ${what}.`);
}

function heading(title: string, command: string): void {
  terminal.lines("", paint.bold(title), paint.dim(`  $ npx agents ${command}`));
}

async function runTask(
  api: Api,
  workflow: string,
  options: ChangeOptions,
): Promise<{ view: TaskView; summary: BuildTestSummary }> {
  // The command shown above says it; what is sent needs no line of its own.
  const source = await sendSource(api, SOURCE, undefined, createTerminal({ write() {} }, {}));
  const change = readChange(options);
  const submission = {
    workflow,
    source,
    test: TEST,
    repository: REPOSITORY,
    profile: PROFILE,
    ...(change && { change }),
  };
  const accepted = await submitTask(api, submission, undefined, terminal);
  const view = await awaitTask(api, accepted, terminal, { ends_only: true });
  const summary = await readSummary(api, view);
  terminal.lines(...verdictLines(view, summary, paint, { excerpt_lines_max: 7 }));
  if (summary === undefined) throw new Error("Not as promised: the task left no build-test/summary.json.");
  return { view, summary };
}

async function failBefore(api: Api): Promise<BuildTestSummary> {
  heading(
    "1. The package as it is",
    `submit examples/date-range --test "${TEST}" --profile ${PROFILE} --wait`,
  );
  const { summary } = await runTask(api, "buildtest", {});
  promise(summary.verdict === "failed", "the tests fail before the fix");
  promise(summary.tests_failed === 1 && summary.tests_passed === 11, "1 of 12 tests fails");
  return summary;
}

async function passAfter(api: Api, before: BuildTestSummary): Promise<void> {
  const command = `submit examples/date-range --patch examples/fix.patch --test "${TEST}" --repository ${REPOSITORY} --profile ${PROFILE} --wait`;
  heading("2. The fix: made, tested, indexed", command);
  const { view, summary } = await runTask(api, "change", { patch: PATCH });
  promise(view.verdict === "passed", "the task passes with the fix");
  promise(summary.tests_passed === 12 && summary.tests_failed === 0, "all 12 tests pass");
  terminal.lines(
    paint.bold(
      `  Before: ${before.tests_failed} failed, ${before.tests_passed} passed → after: ${summary.tests_passed} passed`,
    ),
    "",
    `${paint.bold("What it left")}  ${paint.dim(new URL(`/artifacts/${view.task_id}/`, api.url).toString())}`,
    ...artifactTree(view.artifacts, paint),
  );
  const paths = view.artifacts.map(({ path }) => path);
  promise(paths.includes("codegen/diff.patch") && paths.includes("build-test/report.json"), "artifacts stay");
  const unfinished = view.steps.filter(({ verdict }) => verdict !== "passed").map(({ step }) => step);
  promise(unfinished.length === 0, `every step passes, and ${unfinished.join(", ")} did not`);
}

async function ask(api: Api): Promise<void> {
  heading("3. Ask the code", `query "${QUESTION}" --repository ${REPOSITORY}`);
  const body = { query: QUESTION, repository: REPOSITORY, limit: 2 };
  const answer = await api.post(QueryAnswer, "/api/query", { body });
  terminal.lines(...queryResults(answer, paint, { excerpt_lines_max: 2 }));
  const found = answer.results.some(({ path }) => path === "src/weekdays.js");
  promise(found, "the question finds src/weekdays.js");
}

function whatNext(stack: OwnStack): void {
  const credentials = `./${relative(process.cwd(), stack.credentials)}`;
  terminal.lines(
    "",
    paint.bold(`The stack stays up at ${stack.url}. In another shell:`),
    `  export AGENTS_URL=${stack.url} AGENTS_KEY=$(node -p "require('${credentials}').key")`,
    "  npx agents tasks",
    `  npx agents submit examples/date-range --codemod examples/codemod.yml --test "${TEST}" --profile ${PROFILE} --wait`,
    `  npx agents submit examples/date-range --patch examples/first-try.patch --fallback-patch examples/fix.patch --test "${TEST}" --profile ${PROFILE} --wait`,
    `  open ${stack.url}/console and ${stack.url}/docs`,
    "Ctrl-C stops it.",
  );
}

async function demo(wished_port: number, keep: boolean): Promise<void> {
  const began_at = Date.now();
  const port = (await isFree(wished_port)) ? wished_port : await anyFreePort();
  if (port !== wished_port) terminal.lines(`Port ${wished_port} is taken; using ${port}.`);
  const stack = await startOwnStack("demo", port, terminal);
  let all_shown = false;
  const interrupt = async () => {
    if (interrupted) return;
    terminal.lines("", "Stopping the stack …");
    interrupted = true;
    await stack.stop();
    process.exit(all_shown ? exitCode.passed : exitCode.interrupted);
  };
  for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, () => void interrupt());
  try {
    await passAfter(stack.api, await failBefore(stack.api));
    await ask(stack.api);
    all_shown = true;
    terminal.lines("", `All as promised, in ${formatDuration(Date.now() - began_at)}.`);
  } finally {
    if (!(keep && all_shown)) await stack.stop();
  }
  if (keep) whatNext(stack);
  else terminal.lines("Stack stopped.");
}

async function main(): Promise<void> {
  const values = readOptions(HELP, { keep: { type: "boolean" }, port: { type: "string" } });
  const port = Number(values.port ?? 3001);
  if (!Number.isInteger(port) || port < 1 || port > 65_535) throw new Error(`No port: ${values.port}.`);
  await demo(port, values.keep === true);
}

try {
  await main();
} catch (error) {
  terminal.lines(`${paint.red("✗")} ${(error as Error).message}`);
  process.exitCode = 1;
}
