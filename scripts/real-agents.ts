import { execFile } from "node:child_process";
import { lookup } from "node:dns/promises";
import { readFile, realpath, rm, writeFile } from "node:fs/promises";
import { hostname } from "node:os";
import { delimiter, dirname, join } from "node:path";
import { parseArgs, promisify } from "node:util";
import { CodegenConfig } from "#schemas/config/codegen.ts";
import { TaskView } from "#schemas/http/task-view.ts";
import { patience, patiently } from "../cli/patiently.ts";
import { createTerminal } from "../cli/terminal.ts";
import { anyFreePort } from "../local/ports.ts";
import { configsDirectory } from "../test/fakes/configs-directory.ts";
import { type OwnStack, startOwnStack } from "./own-stack.ts";
import { KNOWN_AGENTS, type KnownAgent } from "./real-agents/known-agents.ts";
import { modelBehindTls } from "./real-agents/model-behind-tls.ts";

const HELP = `Usage: npm run real:agents [-- --bin <directory>]... [-- --only <name>]

Runs coding agents that are installed on this machine (mini-swe-agent, aider, opencode) through a stack of its own: in the
sandbox, with the filtering proxy, against a scripted model behind TLS. Each makes a wrong change, is given the failing test,
and mends it. One that is not installed is named and skipped. Needs bubblewrap. Prints a line an agent; ends with 0 if
every agent that is installed came out as expected.

  --bin <directory>   where programs are, before the PATH; may be repeated
  --only <name>       mini, aider or opencode`;

const FILES = {
  "add.js": "export const add = (a, b) => a - b;\n",
  "add.test.js":
    'import assert from "node:assert/strict";\nimport test from "node:test";\nimport { add } from "./add.js";\n\ntest("adds", () => assert.equal(add(2, 3), 5));\n',
  "package.json": '{ "name": "tiny", "type": "module", "private": true }\n',
};
const [RIGHT, WRONG, BUG] = ["a + b", "a * b", "a - b"].map((sum) => `export const add = (a, b) => ${sum};`);
const KEY = "key-of-the-scripted-model-0123456789";
const TASK_MS_MAX = 1_200_000;

const terminal = createTerminal(process.stdout, process.env);
const run = promisify(execFile);

/** The program's real path, and the directories that it reads: its own installation, and the Python it was made with. */
async function installed({ program }: KnownAgent, directories: readonly string[]) {
  for (const directory of directories) {
    const place = join(directory, program);
    const real = await realpath(place).catch(() => undefined);
    if (real === undefined) continue;
    const python = await realpath(join(directory, "python")).catch(() => undefined);
    if (python === undefined) return { program: real, read_only: [dirname(real)] };
    return { program: place, read_only: [dirname(directory), dirname(dirname(python))] };
  }
  return undefined;
}

async function versionOf(program: string, words: readonly string[]): Promise<string> {
  const { stdout } = await run(program, words, { timeout: 120_000 });
  return /\d+\.\d+(?:\.\w+)*/.exec(stdout)?.[0] ?? "unknown";
}

async function ended(stack: OwnStack, agent: string): Promise<TaskView> {
  const body = {
    workflow: "change",
    source: { kind: "inline", files: FILES },
    change: { kind: "prompt", text: "add subtracts; make it add", agent },
    test: "node --test --test-reporter=tap",
    repair_rounds: 1,
  };
  const { task_id } = await stack.api.post(TaskView, "/api/tasks", { body });
  for (const until = Date.now() + TASK_MS_MAX; Date.now() < until; ) {
    const path = `/api/tasks/${task_id}?wait=20`;
    const view = await patiently(() => stack.api.get(TaskView, path, { timeout_ms: 60_000 }), patience);
    if (view.ended_at) return view;
  }
  throw new Error(`${task_id} did not end within ${TASK_MS_MAX / 1000} s`);
}

function spentBy({ steps }: TaskView): string {
  const spent = steps.flatMap(({ output }) => (output?.spent as { tokens: number } | undefined) ?? []);
  return spent.length === 0 ? "use not stated" : `${Math.max(...spent.map(({ tokens }) => tokens))} tokens`;
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      bin: { type: "string", multiple: true, default: [] },
      only: { type: "string" },
      help: { type: "boolean", short: "h" },
    },
  });
  if (values.help) return terminal.text(HELP);
  const directories = [...values.bin, ...(process.env.PATH ?? "").split(delimiter)];
  const known = KNOWN_AGENTS.filter(({ name }) => values.only === undefined || name === values.only);
  const found = [];
  for (const agent of known) {
    const place = await installed(agent, directories);
    if (place) found.push({ agent, place });
    else terminal.lines(`${agent.name}: skipped, for there is no program ${agent.program}`);
  }
  if (found.length === 0) return;
  const name = hostname().toLowerCase();
  const { address } = await lookup(name);
  const directory = join(import.meta.dirname, "..", ".local", "real-agents-model");
  const certificate = join(directory, "certificate.pem");
  const model = await modelBehindTls(name, address, certificate);
  const around = { host: model.host, addresses: [address], certificate };
  const configs = configsDirectory();
  const file = join(configs.directory, "codegen.json");
  const entries = found.map(({ agent, place }) => [agent.name, agent.entry({ ...place, ...around })]);
  const shipped = JSON.parse(await readFile(file, "utf8"));
  const config = CodegenConfig.parse({ ...shipped, agents: Object.fromEntries(entries) });
  await writeFile(file, JSON.stringify(config));
  const env = { CONFIG_DIRECTORY: configs.directory, MODEL_API_KEY_OPENAI: KEY };
  const stack = await startOwnStack("real-agents", await anyFreePort(), terminal, env);
  try {
    for (const { agent, place } of found) {
      const version = await versionOf(place.program, agent.version);
      model.asked.splice(0);
      model.answer(
        ...agent.answers("add.js", BUG ?? "", WRONG ?? ""),
        ...agent.answers("add.js", WRONG ?? "", RIGHT ?? ""),
      );
      const view = await ended(stack, agent.name);
      const rounds = Math.max(...view.steps.map(({ round }) => round)) + 1;
      const told = JSON.stringify(model.asked.at(-1)?.body).includes("What was tried");
      const is_expected = view.verdict === "passed" && rounds === 2 && told;
      const why = view.error ? ` ${view.error.code}: ${view.error.message}` : "";
      terminal.lines(
        `${agent.name} ${version}: ${view.verdict}${why}, ${rounds} rounds, ${model.asked.length} questions, ${spentBy(view)}${is_expected ? "" : "  NOT AS EXPECTED"}`,
      );
      if (!is_expected) process.exitCode = 1;
    }
  } finally {
    await stack.stop();
    await model.close();
    configs.remove();
    await rm(directory, { recursive: true, force: true });
  }
}

await main();
