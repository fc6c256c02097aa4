import { performance } from "node:perf_hooks";
import type { Lookup } from "#lib/platform/outbound/resolve-host.ts";
import { type Accountant, accountant } from "#lib/sandbox/limits/accountant.ts";
import { type DiskAccounts, diskAccounts } from "#lib/sandbox/limits/disk-accounts.ts";
import { type MemoryGroup, memoryGroup } from "#lib/sandbox/limits/memory-group.ts";
import {
  captureOutput,
  outputHit,
  watchAccounts,
  watchClock,
  watchDecoys,
  watchDisk,
} from "#lib/sandbox/limits/watch-limits.ts";
import { type SandboxNetwork, sandboxNetwork } from "#lib/sandbox/network/sandbox-network.ts";
import { type ProcessCeiling, processCeiling } from "#lib/sandbox/process/process-ceiling.ts";
import { listProcesses, type ProcessSample } from "#lib/sandbox/process/process-table.ts";
import { endTree, followTree, killTree } from "#lib/sandbox/process/process-tree.ts";
import type { Launch, LaunchOrder, SandboxBackend } from "#lib/sandbox/process/sandbox-backend.ts";
import { type SandboxedProcess, startProcess } from "#lib/sandbox/process/start-process.ts";
import { SandboxUnavailable } from "#lib/sandbox/volume/sandbox-unavailable.ts";
import type { LimitHit, NetworkUse, ResourceUsage } from "#schemas/artifacts/build-test-report.ts";

export interface CommandOrder extends LaunchOrder {
  /** Ends the command and everything it started, at once. */
  signal: AbortSignal;
  backend: SandboxBackend;
  /** Name resolution of the filtering proxy; that of the system unless given. */
  lookup?: Lookup;
}

export interface CommandResult {
  /** Null when a signal or a limit ended the command. Bubblewrap turns a signal into 128 + number. */
  exit_code: number | null;
  signal: string | null;
  /** The first limit proven exceeded, by measurement from outside. */
  limit: LimitHit | null;
  /** A limit that the kernel held, and that a command met which kept within it. */
  refused: LimitHit | null;
  usage: ResourceUsage;
  /** Connections through the filtering proxy; null without a proxy. */
  network: NetworkUse | null;
  /** Both streams in the order of arrival, cut at the profile's `output_bytes_max`. */
  log: Buffer;
  stdout: Buffer;
  stderr: Buffer;
  isolation: SandboxBackend["isolation"];
  backend: SandboxBackend["name"];
  not_enforced: SandboxBackend["not_enforced"];
  /** The tree's path as the command saw it. */
  tree_inside: string;
}

/**
 * Runs one untrusted shell command line in a tree, under the limits of a profile. Limits are
 * decided by measurements outside the command, never by its exit code or its output.
 * No process that the command started is alive when this returns or throws.
 * Throws SandboxUnavailable, and the signal's reason when aborted.
 */
export async function runCommand(order: CommandOrder): Promise<CommandResult> {
  const { backend, profile, signal } = order;
  signal.throwIfAborted();
  if (profile.isolation_minimum === "full" && backend.isolation !== "full") {
    throw new SandboxUnavailable(`the profile demands full isolation, and "${backend.name}" is reduced`);
  }
  const network = await sandboxNetwork(profile, order.volume, backend, order.lookup);
  const launch = await backend.launch({ ...order, network_environment: network.environment });
  signal.throwIfAborted();
  const started_ms = performance.now();
  const ceiling = processCeiling(profile.processes_max);
  const memory = memoryGroup(profile, order.volume, ceiling);
  const disk = diskAccounts(profile, order.volume);
  const older = listProcesses() ?? [];
  const sandboxed = await startProcess(launch, order.volume.pipes);
  const instruments = { disk, ceiling, memory, older, network };
  const { limit, refused, stopped, accounts, output, ended, use, unready } = await supervise(
    sandboxed,
    launch,
    order,
    instruments,
  );
  memory.release().catch(() => {});
  ceiling.release().catch(() => {}); // takes a while; a later run removes a group that stays
  const wall_ms = Math.round(performance.now() - started_ms);
  signal.throwIfAborted();
  if (unready) throw unready;
  if (!sandboxed.stood() && !limit) {
    throw new SandboxUnavailable(`${backend.name} did not start: ${output.kept("stderr").toString().trim()}`);
  }
  return {
    exit_code: stopped ? null : ended.exit_code,
    signal: stopped ? "SIGKILL" : ended.signal,
    limit,
    refused,
    usage: {
      wall_ms,
      ...usageOf(accounts, disk),
      output_bytes: output.bytes(),
      network_bytes: use && bytesOf(use),
    },
    network: use,
    log: output.kept("both"),
    stdout: output.kept("stdout"),
    stderr: output.kept("stderr"),
    isolation: backend.isolation,
    backend: backend.name,
    not_enforced: [...backend.not_enforced, ...memory.not_counted],
    tree_inside: launch.tree_inside,
  };
}

/** Measures until the command has ended, or ends it at a limit, and then kills the processes it left. */
async function supervise(
  sandboxed: SandboxedProcess,
  launch: Launch,
  { profile, signal }: CommandOrder,
  { disk, ceiling, memory, older, network }: Instruments,
) {
  memory.joinSoon(sandboxed.pid);
  ceiling.joinSoon(sandboxed.pid); // while the sandbox is being set up
  const tree = followTree(sandboxed.pid, launch.marker, older);
  const accounts = accountant(profile, sandboxed.pid, launch.own_process_levels, memory.read);
  const decoys = watchDecoys(launch.decoys);
  let limit: LimitHit | null = null;
  let met: LimitHit | null = null;
  let unready: unknown = null;
  const stop = () => killTree(tree, sandboxed.alive());
  const exceed = (hit: LimitHit) => {
    if (limit) return;
    limit = hit;
    stop();
  };
  const exceedDisk = (hit: LimitHit | null) => {
    if (hit && disk.isHeldByKernel(hit)) met ??= hit;
    else if (hit) exceed(hit);
  };
  const output = captureOutput(profile.output_bytes_max, (bytes) => exceed(outputHit(profile, bytes)));
  sandboxed.onOutput(output.accept);
  sandboxed.onStanding(() => {
    const members = tree.sample(false);
    // The sandbox's own processes too: one of them has the command's user id, and a fault would let it be taken over.
    const pids = members.map(({ pid }) => pid);
    memory.join(pids);
    ceiling.join(pids);
    accounts.add(members);
    return network.attach(members, exceed)?.catch((error: unknown) => {
      unready = error;
      stop();
    });
  });
  const stopClock = watchClock(profile, exceed);
  const judge = (members: readonly ProcessSample[]) => {
    exceedDisk(disk.openFiles(members));
    return accounts.add(members) ?? decoys.touched();
  };
  const stopAccounts = watchAccounts(tree, judge, exceed);
  const stopDisk = watchDisk(disk, exceedDisk);
  signal.addEventListener("abort", stop);
  if (signal.aborted) stop();
  const ended = await sandboxed.ended;
  stopClock();
  stopAccounts();
  signal.removeEventListener("abort", stop);
  const { use, denied } = network.close();
  // Before the remaining processes are killed, because forks refused during that do not count. Without a process
  // namespace, ended processes count until the machine's init has reaped them.
  if (launch.marker === null) limit ??= ceiling.hit();
  limit ??= memory.hit();
  await endTree(tree, ceiling);
  sandboxed.dismiss();
  await Promise.all([sandboxed.drained(), stopDisk()]);
  // The files it left are evidence too, also for a command that ended before the first sample.
  limit ??= disk.count() ?? decoys.touched() ?? (await disk.survey());
  const stopped = limit !== null;
  if (ended.exit_code !== 0) limit ??= met ?? denied;
  const refused = limit ? null : (met as LimitHit | null);
  return { limit: limit as LimitHit | null, refused, stopped, accounts, output, ended, use, unready };
}

interface Instruments {
  disk: DiskAccounts;
  ceiling: ProcessCeiling;
  memory: MemoryGroup;
  older: number[];
  network: SandboxNetwork;
}

function bytesOf({ hosts }: NetworkUse): number {
  return hosts.reduce((total, { bytes_sent, bytes_received }) => total + bytes_sent + bytes_received, 0);
}

function usageOf(
  accounts: Accountant,
  disk: DiskAccounts,
): Omit<ResourceUsage, "wall_ms" | "output_bytes" | "network_bytes"> {
  const peaks = accounts.peaks();
  const written = Math.max(peaks?.bytes_written ?? 0, disk.growth_bytes());
  const nothing = { cpu_ms: null, memory_bytes_peak: null, processes_peak: null, open_files_peak: null };
  return { ...(peaks ?? nothing), ...disk.peaks(), bytes_written: written };
}
