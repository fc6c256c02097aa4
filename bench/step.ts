/**
 * What one step costs, side by side with an earlier checkout, in alternating runs:
 * `npm run bench:step -- --before <path> --rounds 3 --demo`.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { performance } from "node:perf_hooks";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { readCredentials } from "../cli/settings.ts";
import { anyFreePort } from "../local/ports.ts";
import { readOptions } from "../scripts/read-options.ts";
import { type Cpu, cpuOf } from "./step/cpu.ts";

const HELP = `npm run bench:step -- --before <path> [options]

Runs workflow \`run\` (one inline file, command \`true\`, profile \`trusted\`) on stacks of two checkouts in turn and prints
what a task takes of processor and time, and the ratio of this checkout to the one before. The embedding model, which
the workflow does not use, is not loaded.

  --before <path>  the other checkout, with its packages installed
  --rounds <n>     stacks of each (3)
  --tasks <n>      tasks one after the other on each (20); as many and a half again run 16 at once
  --demo           also \`npm run demo\` of each, to its verdict
  --help           this text`;

const AT_ONCE = 16;
const WARM_UP = 5;
const SUBMISSION = JSON.stringify({
  workflow: "run",
  source: { kind: "inline", files: { "a.txt": "a" } },
  command: "true",
  profile: "trusted",
});

interface Stack {
  pid: number;
  runTask(): Promise<number>;
  stop(): Promise<void>;
}

/** Figures of one checkout, one entry a round. */
interface Figures {
  cpu_ms: number[];
  functions_ms: number[];
  emulators_ms: number[];
  children_ms: number[];
  alone_ms: number[];
  at_once_ms: number[];
  demo_ms: number[];
}

async function startStackOf(checkout: string): Promise<Stack> {
  const data_dir = mkdtempSync(join(tmpdir(), "bench-step-"));
  const words = ["local/start.ts", "--port", String(await anyFreePort()), "--data-dir", data_dir];
  const child = spawn(process.execPath, words, {
    cwd: checkout,
    stdio: ["ignore", "ignore", "inherit", "ipc"],
    detached: true,
    // Loading it takes more of the processor than some tasks, and would end among those that are measured.
    env: { ...process.env, LOCAL_WARM_EMBEDDER: "no" },
  });
  const [ready] = (await once(child, "message")) as [
    { url?: string; credentials_file?: string; message?: string },
  ];
  if (!ready.url || !ready.credentials_file) throw new Error(`${checkout} did not start: ${ready.message}`);
  const { key } = readCredentials(ready.credentials_file);
  const headers = { authorization: `Bearer ${key}`, "content-type": "application/json" };
  const { url } = ready;
  return {
    pid: child.pid ?? 0,
    async runTask() {
      const started_ms = performance.now();
      const accepted = await fetch(`${url}/api/tasks`, { method: "POST", headers, body: SUBMISSION });
      const { task_id } = (await accepted.json()) as { task_id: string };
      for (;;) {
        const answer = await fetch(`${url}/api/tasks/${task_id}?wait=20`, { headers });
        const view = (await answer.json()) as { ended_at?: string; verdict?: string };
        if (view.ended_at === undefined) continue;
        if (view.verdict !== "passed") throw new Error(`a task ended ${view.verdict}`);
        return performance.now() - started_ms;
      }
    },
    async stop() {
      const exited = once(child, "exit");
      child.kill("SIGTERM");
      await exited;
      rmSync(data_dir, { recursive: true, force: true });
    },
  };
}

async function measure(checkout: string, tasks: number, figures: Figures): Promise<void> {
  const stack = await startStackOf(checkout);
  try {
    for (let warm = 0; warm < WARM_UP; warm += 1) await stack.runTask();
    const alone: number[] = [];
    const before = cpuOf(stack.pid);
    for (let task = 0; task < tasks; task += 1) alone.push(await stack.runTask());
    addCpu(figures, before, cpuOf(stack.pid), tasks);
    figures.alone_ms.push(median(alone));
    const many = Math.ceil(tasks * 1.5);
    let left = many;
    const started_ms = performance.now();
    const worker = async () => {
      while (left > 0) {
        left -= 1;
        await stack.runTask();
      }
    };
    await Promise.all(Array.from({ length: AT_ONCE }, worker));
    figures.at_once_ms.push((performance.now() - started_ms) / many);
  } finally {
    await stack.stop();
  }
}

function addCpu(figures: Figures, before: Cpu, after: Cpu, tasks: number): void {
  const each = (part: keyof Cpu) => (after[part] - before[part]) / tasks;
  figures.functions_ms.push(each("functions_ms"));
  figures.emulators_ms.push(each("emulators_ms"));
  figures.children_ms.push(each("children_ms"));
  figures.cpu_ms.push(each("functions_ms") + each("emulators_ms") + each("children_ms"));
}

/** From `npm run demo` to the verdict of its change. */
async function measureDemo(checkout: string): Promise<number> {
  const started_ms = performance.now();
  const child: ChildProcess = spawn("npm", ["run", "-s", "demo"], {
    cwd: checkout,
    stdio: ["ignore", "pipe", "inherit"],
  });
  if (!child.stdout) throw new Error("the demo has no output");
  let verdict_ms: number | undefined;
  const exited = once(child, "exit");
  for await (const line of createInterface({ input: child.stdout })) {
    if (/passed in /.test(line)) verdict_ms ??= performance.now() - started_ms;
  }
  await exited;
  if (verdict_ms === undefined) throw new Error(`the demo of ${checkout} showed no verdict`);
  return verdict_ms;
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}

const values = readOptions(HELP, {
  before: { type: "string" },
  rounds: { type: "string", default: "3" },
  tasks: { type: "string", default: "20" },
  demo: { type: "boolean", default: false },
});
if (values.before === undefined) {
  console.error(`Say which checkout to compare with: --before <path>.\n\n${HELP}`);
  process.exit(2);
}

const checkouts: [name: string, path: string][] = [
  ["before", resolve(values.before)],
  ["now", fileURLToPath(new URL("..", import.meta.url))],
];
const none = (): Figures => ({
  ...{ cpu_ms: [], functions_ms: [], emulators_ms: [], children_ms: [] },
  ...{ alone_ms: [], at_once_ms: [], demo_ms: [] },
});
const figures = new Map(checkouts.map(([name]) => [name, none()]));
for (let round = 0; round < Number(values.rounds); round += 1) {
  for (const [name, path] of checkouts) {
    const of = figures.get(name) as Figures;
    await measure(path, Number(values.tasks), of);
    if (values.demo) of.demo_ms.push(await measureDemo(path));
    console.error(`round ${round + 1}, ${name}: ${Math.round(of.alone_ms.at(-1) ?? 0)} ms alone`);
  }
}

const rows: [keyof Figures, string][] = [
  ["cpu_ms", "processor, a task"],
  ["functions_ms", "  functions"],
  ["emulators_ms", "  emulators"],
  ["children_ms", "  sandbox and other children"],
  ["alone_ms", "alone, p50"],
  ["at_once_ms", `${AT_ONCE} at once, a task`],
  ...(values.demo ? ([["demo_ms", "demo to its verdict"]] as [keyof Figures, string][]) : []),
];
console.log(
  `${"ms, median of the rounds".padEnd(30)} ${"before".padStart(8)} ${"now".padStart(8)} ${"ratio".padStart(7)}`,
);
for (const [figure, label] of rows) {
  const [before = Number.NaN, now = Number.NaN] = checkouts.map(([name]) =>
    median(figures.get(name)?.[figure] ?? []),
  );
  const cells = [
    before.toFixed(0).padStart(8),
    now.toFixed(0).padStart(8),
    (now / before).toFixed(2).padStart(7),
  ];
  console.log(`${label.padEnd(30)} ${cells.join(" ")}`);
}
