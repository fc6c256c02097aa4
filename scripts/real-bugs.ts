import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { TaskView } from "#schemas/http/task-view.ts";
import type { Submission } from "#schemas/messages/submission.ts";
import { patience, patiently } from "../cli/patiently.ts";
import { createTerminal } from "../cli/terminal.ts";
import { uploadArchive } from "../cli/upload-archive.ts";
import { anyFreePort } from "../local/ports.ts";
import { modelServer } from "../test/fakes/model-server.ts";
import { type OwnStack, startOwnStack } from "./own-stack.ts";
import { type Bug, type BuggyPackage, preparePackage, readBugs, seed } from "./real-bugs/seed-bugs.ts";

const HELP = `Usage: npm run real:bugs [-- --only <package>] [-- --profile <name>]

Seeds bugs into published packages that ship tests, and has a scripted model mend each, over HTTP, through a stack of
its own. For each bug: the tests fail with it; the right answer turns them green; wrong answers end the task red within
its rounds. Packages come from npm's registry. Prints a line a bug; ends with 0 if all came out as expected.
24 bugs take some minutes.

  --only <package>   only the bugs of this package
  --profile <name>   of the sandbox; default: standard. Without bubblewrap take \`trusted\``;

const REPAIR_ROUNDS = 1;
const TASK_MS_MAX = 600_000;

const terminal = createTerminal(process.stdout, process.env);
const surprises: string[] = [];

interface Run {
  stack: OwnStack;
  model: Awaited<ReturnType<typeof modelServer>>;
  profile: string;
}

async function ended(
  { stack, profile }: Run,
  archive: Buffer,
  fields: Pick<Submission, "workflow" | "test"> & Partial<Submission>,
): Promise<TaskView> {
  const upload_id = await uploadArchive(stack.api, archive);
  const body = { source: { kind: "upload", upload_id }, profile, ...fields };
  const submitted = await stack.api.post(TaskView, "/api/tasks", { body });
  for (const until = Date.now() + TASK_MS_MAX; Date.now() < until; ) {
    const path = `/api/tasks/${submitted.task_id}?wait=20`;
    const view = await patiently(() => stack.api.get(TaskView, path, { timeout_ms: 60_000 }), patience);
    if (view.ended_at) return view;
  }
  throw new Error(`${submitted.task_id} did not end within ${TASK_MS_MAX / 1000} s`);
}

/** An answer in the text form of edits, of one line. */
function answerOf(file: string, from: string, to: string): { text: string } {
  return { text: `It is mended.\n\n${file}\n<<<<<<< SEARCH\n${from}\n=======\n${to}\n>>>>>>> REPLACE\n` };
}

async function tryBug(found: BuggyPackage, bug: Bug, directory: string, run: Run): Promise<void> {
  const { name, file, test } = found;
  const { archive, lines } = await seed(directory, found, bug);
  const change = { kind: "prompt" as const, text: `In ${file}: ${bug.why}. Mend it.` };
  const asking = { workflow: "change", test, change, repair_rounds: REPAIR_ROUNDS };
  const red = await ended(run, archive, { workflow: "buildtest", test });
  run.model.answer(answerOf(file, lines.bug, lines.right));
  const green = await ended(run, archive, asking);
  run.model.asked.splice(0);
  const [first = "", second = ""] = lines.wrong;
  run.model.answer(answerOf(file, lines.bug, first), answerOf(file, first, second));
  const wrong = await ended(run, archive, asking);
  const asked = run.model.asked.length;
  const told = [red, green, wrong].map(({ verdict, error }) => `${verdict}${error ? ` ${error.code}` : ""}`);
  terminal.lines(`  ${name}: ${bug.why}: ${told.join(" | ")} | ${asked} questions`);
  const expected = ["failed TESTS_FAILED", "passed", "failed TESTS_FAILED"];
  const is_expected = told.every((one, place) => one === expected[place]) && asked === REPAIR_ROUNDS + 1;
  if (!is_expected) {
    const why = [red, green, wrong].map(({ error }) => error?.message ?? "").join(" | ");
    surprises.push(`${name}: ${bug.why}: ${told.join(" | ")}, ${asked} questions. ${why}`);
  }
}

async function tryPackage(found: BuggyPackage, directory: string, run: Run): Promise<number> {
  const whole = await preparePackage(found, directory);
  const { verdict, error } = await ended(run, whole, { workflow: "buildtest", test: found.test });
  const why = error ? ` ${error.code}: ${error.message}` : "";
  terminal.lines(`${found.name} ${found.version}: as published ${verdict}${why}`);
  if (verdict !== "passed") surprises.push(`${found.name} as published: ${error?.message}`);
  for (const bug of found.bugs) await tryBug(found, bug, directory, run);
  return found.bugs.length;
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      only: { type: "string" },
      profile: { type: "string", default: "standard" },
      help: { type: "boolean", short: "h" },
    },
  });
  if (values.help) return terminal.text(HELP);
  const packages = readBugs().filter(({ name }) => values.only === undefined || name === values.only);
  if (packages.length === 0) throw new Error(`No bugs of ${values.only} are known.`);
  const directory = await mkdtemp(join(tmpdir(), "real-bugs-"));
  const model = await modelServer([{ text: "nothing yet" }]);
  const env = { MODEL_URL: model.completions_url, MODEL_NAME: "scripted" };
  const stack = await startOwnStack("real-bugs", await anyFreePort(), terminal, env);
  let bugs = 0;
  try {
    for (const [index, found] of packages.entries()) {
      bugs += await tryPackage(found, join(directory, String(index)), {
        stack,
        model,
        profile: values.profile,
      });
    }
  } finally {
    await stack.stop();
    await model.close();
    await rm(directory, { recursive: true, force: true });
  }
  terminal.lines(
    surprises.length === 0
      ? `All ${bugs} bugs as expected: red, green with the right answer, red within the rounds with wrong ones.`
      : `Not as expected, of ${bugs} bugs:\n${surprises.join("\n")}`,
  );
  if (surprises.length > 0) process.exitCode = 1;
}

await main();
