import { performance } from "node:perf_hooks";
import { accountant } from "#lib/sandbox/accountant.ts";
import { captureOutput } from "#lib/sandbox/captured-output.ts";
import { chooseBackend } from "#lib/sandbox/choose-backend.ts";
import { endTree, killTree } from "#lib/sandbox/end-tree.ts";
import { processCeiling } from "#lib/sandbox/process-ceiling.ts";
import { followTree } from "#lib/sandbox/process-tree.ts";
import type { Launch, LaunchOrder, SandboxBackend } from "#lib/sandbox/sandbox-backend.ts";
import { SandboxUnavailable } from "#lib/sandbox/sandbox-unavailable.ts";
import { type SandboxedProcess, startProcess } from "#lib/sandbox/start-process.ts";
import { outputHit, watchAccounts, watchClock } from "#lib/sandbox/watch-limits.ts";
import type { LimitHit, ResourceUsage } from "#schemas/artifacts/build-test-report.ts";

export interface CommandOrder extends LaunchOrder {
  /** Ends the command and everything it started, at once. */
  signal: AbortSignal;
  /** The strongest that works here unless given. */
  backend?: SandboxBackend;
}

export interface CommandResult {
  /** Null when a signal or a limit ended the command. Bubblewrap turns a signal into 128 + number. */
  exit_code: number | null;
  signal: string | null;
  /** The first limit proven exceeded, by measurement from outside. */
  limit: LimitHit | null;
  usage: ResourceUsage;
  /** Both streams in the order of arrival, cut at the profile's `output_bytes_max`. */
  log: Buffer;
  stdout: Buffer;
  stderr: Buffer;
  isolation: SandboxBackend["isolation"];
  backend: SandboxBackend["name"];
  /** The tree's path as the command saw it. */
  tree_inside: string;
}

/**
 * Runs one untrusted shell command line in a tree, under the limits of a profile. Limits are
 * decided by accounting outside the command; exit codes and printed text prove nothing.
 * Nothing that the command started is alive when this returns or throws.
 * Throws SandboxUnavailable, and the signal's reason when aborted.
 */
export async function runCommand(order: CommandOrder): Promise<CommandResult> {
  order.signal.throwIfAborted();
  const backend = order.backend ?? (await chooseBackend(order.profile.isolation_minimum));
  if (order.profile.isolation_minimum === "full" && backend.isolation !== "full") {
    throw new SandboxUnavailable(`the profile demands full isolation, and "${backend.name}" is reduced`);
  }
  const launch = await backend.launch(order);
  order.signal.throwIfAborted();
  const started_ms = performance.now();
  const ceiling = processCeiling(order.profile.processes_max);
  const sandboxed = await startProcess(launch, ceiling);
  const { limit, accounts, output, ended } = await supervise(sandboxed, launch, order);
  await ceiling.release();
  const wall_ms = Math.round(performance.now() - started_ms);
  order.signal.throwIfAborted();
  if (!sandboxed.stood() && !limit) {
    throw new SandboxUnavailable(`${backend.name} did not start: ${output.kept("stderr").toString().trim()}`);
  }
  return {
    exit_code: limit ? null : ended.exit_code,
    signal: limit ? "SIGKILL" : ended.signal,
    limit,
    usage: {
      wall_ms,
      ...(accounts.peaks() ?? { cpu_ms: null, memory_bytes_peak: null, processes_peak: null }),
      output_bytes: output.bytes(),
    },
    log: output.kept("both"),
    stdout: output.kept("stdout"),
    stderr: output.kept("stderr"),
    isolation: backend.isolation,
    backend: backend.name,
    tree_inside: launch.tree_inside,
  };
}

/** Measures until the command has ended, or ends it, and then clears away what it left behind. */
async function supervise(sandboxed: SandboxedProcess, launch: Launch, { profile, signal }: CommandOrder) {
  const tree = followTree(sandboxed.pid, launch.marker);
  const accounts = accountant(profile, sandboxed.pid, launch.own_generations);
  let limit: LimitHit | null = null;
  const stop = () => killTree(tree, sandboxed.alive());
  const exceed = (hit: LimitHit) => {
    if (limit) return;
    limit = hit;
    stop();
  };
  const output = captureOutput(profile.output_bytes_max, (bytes) => exceed(outputHit(profile, bytes)));
  sandboxed.onOutput(output.accept);
  const stopClock = watchClock(profile, exceed);
  const stopAccounts = watchAccounts(tree, accounts, exceed);
  signal.addEventListener("abort", stop);
  if (signal.aborted) stop();
  const ended = await sandboxed.ended;
  stopClock();
  stopAccounts();
  signal.removeEventListener("abort", stop);
  await endTree(tree);
  sandboxed.dismiss();
  await sandboxed.drained();
  return { limit: limit as LimitHit | null, accounts, output, ended };
}
