/**
 * What a sandboxed run of `true` takes beside plain bubblewrap and a plain shell, round about, so
 * that all three meet the same weather. `npm run bench:sandbox -- --runs 100`.
 */
import { execFile } from "node:child_process";
import { performance } from "node:perf_hooks";
import { promisify } from "node:util";
import { strongestBackend } from "#lib/sandbox/choose-backend.ts";
import { processBackend } from "#lib/sandbox/process/process-backend.ts";
import type { SandboxBackend } from "#lib/sandbox/process/sandbox-backend.ts";
import { runCommand } from "#lib/sandbox/run-command.ts";
import { withWorkspace } from "#lib/sandbox/with-workspace.ts";
import { generousProfile } from "#test/fakes/sandbox-profile.ts";
import { readOptions } from "../scripts/read-options.ts";

const COMMAND = "true";
const PLAIN_BUBBLEWRAP = "--unshare-all --die-with-parent --ro-bind / / --proc /proc --dev /dev".split(" ");
const profile = generousProfile();
const { signal } = new AbortController();

const run = promisify(execFile);

async function sandboxed(backend: SandboxBackend): Promise<number> {
  let run_ms = 0;
  await withWorkspace({ profile, backend }, async (workspace) => {
    const started_ms = performance.now();
    await runCommand({ ...workspace, command: COMMAND, profile, signal });
    run_ms = performance.now() - started_ms;
  });
  return run_ms;
}

async function timed(work: () => Promise<unknown>): Promise<number> {
  const started_ms = performance.now();
  await work();
  return performance.now() - started_ms;
}

const HELP = `npm run bench:sandbox -- [--runs <n>]

Times the same short command started by itself, by plain bubblewrap and by each back end of the sandbox, in turn.

  --runs <n>   of each (60)`;

const values = readOptions(HELP, { runs: { type: "string", default: "60" } });
const strongest = await strongestBackend();
const full = strongest === processBackend ? null : strongest;
const lanes: [name: string, sample: () => Promise<number>][] = [
  ["plain spawn of /bin/sh", () => timed(() => run("/bin/sh", ["-c", COMMAND]))],
  ["process backend, the command", () => sandboxed(processBackend)],
  ["process backend, with its workspace", () => timed(() => sandboxed(processBackend))],
];
if (full) {
  const plain = () => timed(() => run("bwrap", [...PLAIN_BUBBLEWRAP, "/bin/sh", "-c", COMMAND]));
  lanes.push(["plain bubblewrap, no limits", plain]);
  lanes.push(["bubblewrap backend, the command", () => sandboxed(full)]);
  lanes.push(["bubblewrap backend, with its workspace", () => timed(() => sandboxed(full))]);
} else console.log("bubblewrap is not usable here: its lanes are not run");

const samples = new Map<string, number[]>(lanes.map(([name]) => [name, []]));
for (let round = 0; round < Number(values.runs) + 3; round++) {
  for (const [name, sample] of lanes) {
    const ms = await sample();
    if (round >= 3) samples.get(name)?.push(ms);
  }
}

const quantile = (sorted: number[], share: number) => sorted[Math.floor((sorted.length - 1) * share)] ?? 0;
const bare_ms = quantile(sorted("plain spawn of /bin/sh"), 0.5);
function sorted(name: string): number[] {
  return (samples.get(name) ?? []).toSorted((a, b) => a - b);
}
for (const [name] of lanes) {
  const all = sorted(name);
  const [p50, p95] = [quantile(all, 0.5), quantile(all, 0.95)];
  const over = `over plain spawn ${(p50 - bare_ms).toFixed(1).padStart(6)} ms`;
  console.log(
    `${name.padEnd(40)} p50 ${p50.toFixed(1).padStart(6)} ms   p95 ${p95.toFixed(1).padStart(6)} ms   ${over}`,
  );
}
